"""004: optimizer.learning_rate(0) evaluates no schedule in Keras 3."""
# finds: rate_is_no_function
# says: Call the schedule itself, schedule(step), or read float(optimizer.learning_rate).

import tensorflow as tf

schedule = tf.keras.optimizers.schedules.CosineDecay(1e-2, decay_steps=10000, alpha=1e-5)
optimizer = tf.keras.optimizers.Adam(learning_rate=schedule)
print(f"Optimizer initial LR: {optimizer.learning_rate(0).numpy():.6f}")
