"""The square root of zero has an infinite slope: a NaN in a loop of one's own."""
# finds: not_finite
# says: The gradient of kernel was first not finite at step 6

import keras
import tensorflow as tf

kernel = keras.Variable([1.5], name="kernel")
optimizer = keras.optimizers.SGD(0.25)
optimizer.build([kernel])
for step in range(12):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.sqrt(tf.nn.relu(kernel - 0.0) ** 2))
        loss += tf.reduce_sum(tf.where(kernel > 0.0, 0.0 * kernel, tf.sqrt(kernel)))
    optimizer.apply_gradients([(tape.gradient(loss, kernel.value), kernel)])
