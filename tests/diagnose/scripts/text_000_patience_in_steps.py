"""000, example 2: early stopping of one's own; the patience counts steps, the loop decides."""
# says: As planned. The script's own loop ended after

import tensorflow as tf

tf.keras.utils.set_random_seed(1)
model = tf.keras.Sequential([tf.keras.layers.Input((2,)), tf.keras.layers.Dense(1)])
optimizer = tf.keras.optimizers.SGD(0.2)
x = tf.random.normal((40, 2))
y = x[:, :1] + 0.3 * tf.random.normal((40, 1))
dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(4)
loss_fn = tf.keras.losses.MeanSquaredError()
best, best_step, patience, stop = float("inf"), 0, 5, False
while not stop:
    for features, target in dataset:
        with tf.GradientTape() as tape:
            loss = loss_fn(target, model(features))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    validation = float(loss_fn(y, model(x)))
    step = int(optimizer.iterations)
    if validation < best - 1e-3:
        best, best_step = validation, step
    elif step - best_step > patience:
        stop = True
