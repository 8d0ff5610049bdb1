"""003: steps_per_epoch x epochs exceeds what a dataset holds."""
# finds: data_exhausted
# says: The data ran out at step 4 of 6 in epoch 1 of 3
# says: built at tests/diagnose/scripts/text_003_dataset_too_short.py:10

import tensorflow as tf

tf.keras.utils.set_random_seed(1)
x = tf.random.normal((64, 4))
train_ds = tf.data.Dataset.from_tensor_slices((x, x[:, :1])).shuffle(64, seed=1).batch(16)
model = tf.keras.Sequential([tf.keras.layers.Input((4,)), tf.keras.layers.Dense(1)])
model.compile(optimizer="sgd", loss="mse")
model.fit(train_ds, epochs=3, steps_per_epoch=6, verbose=0)
