"""A PyDataset with workers, as training and as validation data."""

import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.normal(size=(64, 4)).astype("float32")
y = x[:, :1] + 0.1 * np.random.normal(size=(64, 1)).astype("float32")


class Data(keras.utils.PyDataset):
    """Four batches."""

    def __len__(self):
        return 4

    def __getitem__(self, index):
        part = slice(16 * index, 16 * (index + 1))
        return x[part], y[part]


model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
model.compile(optimizer="adam", loss="mse")
model.fit(Data(workers=2), validation_data=Data(), epochs=4, verbose=0)
