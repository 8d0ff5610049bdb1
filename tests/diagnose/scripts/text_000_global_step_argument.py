"""000, example 1: apply_gradients is handed a global_step of one's own."""
# finds: global_step_argument
# says: raised TypeError at tests/diagnose/scripts/text_000_global_step_argument.py:16
# says: in optimizer.iterations. And a count never ends a training; only the loop does.

import tensorflow as tf

model = tf.keras.Sequential([tf.keras.layers.Input((2,)), tf.keras.layers.Dense(1)])
optimizer = tf.keras.optimizers.Adam()
global_step = tf.Variable(0, trainable=False)
dataset = tf.data.Dataset.from_tensor_slices(tf.ones((8, 2))).batch(4)
for batch in dataset:
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(model(batch))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables), global_step=global_step)
