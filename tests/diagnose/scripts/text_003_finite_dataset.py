"""003, example 2: a finite dataset without repeat() is read anew in every epoch."""
# says: from_tensor_slices -> batch, 4 batches a pass, built at tests/diagnose/scripts/text_003
# says: planned  10 epochs, 40 steps
# says: done     10 epochs, 40 steps

import tensorflow as tf

tf.keras.utils.set_random_seed(1)
x = tf.random.normal((128, 10))
y = tf.one_hot(tf.random.uniform((128,), maxval=3, dtype="int32"), 3)
train_ds = tf.data.Dataset.from_tensor_slices((x, y)).batch(32)
model = tf.keras.Sequential(
    [tf.keras.layers.Input((10,)), tf.keras.layers.Dense(3, activation="softmax")]
)
model.compile(optimizer="adam", loss="categorical_crossentropy")
model.fit(train_ds, epochs=10, verbose=0)
