"""An LSTM run eagerly, with class weights that count."""

import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.normal(size=(64, 4)).astype("float32")
y = x[:, :1] + 0.1 * np.random.normal(size=(64, 1)).astype("float32")

sequences = np.random.normal(size=(48, 5, 3)).astype("float32")
labels = np.tile([0, 1, 1], 16)
model = keras.Sequential(
    [keras.layers.Input((5, 3)), keras.layers.LSTM(4), keras.layers.Dense(1, activation="sigmoid")]
)
model.compile(
    optimizer=keras.optimizers.Adam(1e-3, global_clipnorm=1.0),
    loss="binary_crossentropy",
    run_eagerly=True,
)
model.fit(sequences, labels, epochs=2, batch_size=16, class_weight={0: 2.0, 1: 1.0}, verbose=0)
