"""000, example 3: a while loop in the graph ends by its own condition."""
# says: done     25 steps
# says: As planned. The script's own loop ended after 25 updates.

import tensorflow as tf

model = tf.keras.Sequential([tf.keras.layers.Input((2,)), tf.keras.layers.Dense(1)])
optimizer = tf.keras.optimizers.SGD(0.05)
optimizer.build(model.trainable_variables)
x = tf.random.stateless_normal((8, 2), seed=(1, 2))


def body(step):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((model(x) - x[:, :1]) ** 2)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return step + 1


@tf.function
def train():
    return tf.while_loop(lambda step: step < 25, body, [tf.constant(0)])


print(train())
