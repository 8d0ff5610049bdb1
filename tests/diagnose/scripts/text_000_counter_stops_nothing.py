"""000, example 1 mended: the loop ends the training, the count goes along."""
# says: planned  unknown: the script decides
# says: done     30 steps
# says: As planned. The script's own loop ended after 30 updates.

import tensorflow as tf

model = tf.keras.Sequential([tf.keras.layers.Input((2,)), tf.keras.layers.Dense(1)])
optimizer = tf.keras.optimizers.Adam()
x = tf.random.stateless_normal((40, 2), seed=(1, 2))
dataset = tf.data.Dataset.from_tensor_slices((x, x[:, :1])).batch(4)
for epoch in range(3):
    for features, target in dataset:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(features) - target) ** 2)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    print(f"epoch {epoch}: {int(optimizer.iterations)} updates")
