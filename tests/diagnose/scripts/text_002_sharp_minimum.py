"""002, scenario 3: an update of the usual length climbs the wall of a steep minimum."""
# finds: final_step_spike
# says: The loss leaps in the final step, sharp minimum:
# says: moves as long as ever met a gradient

import tensorflow as tf

position = tf.Variable([0.0])
optimizer = tf.keras.optimizers.SGD(1.0)
optimizer.build([position])
for _ in range(30):
    with tf.GradientTape() as tape:
        wall = tf.nn.relu(position - 0.285) ** 2
        loss = tf.reduce_sum(1.0 - 0.01 * position + 2e4 * wall)
    optimizer.apply_gradients([(tape.gradient(loss, position), position)])
