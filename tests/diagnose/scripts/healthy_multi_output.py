"""A functional model with two outputs, losses by name, and XLA."""

import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.normal(size=(64, 4)).astype("float32")
y = x[:, :1] + 0.1 * np.random.normal(size=(64, 1)).astype("float32")

inputs = keras.Input((4,))
shared = keras.layers.Dense(8, activation="relu")(inputs)
price = keras.layers.Dense(1, name="price")(shared)
category = keras.layers.Dense(3, activation="softmax", name="category")(shared)
model = keras.Model(inputs, [price, category])
model.compile(
    optimizer="adam",
    loss={"price": "mse", "category": "sparse_categorical_crossentropy"},
    loss_weights={"price": 1.0, "category": 0.5},
    metrics={"price": ["mae"], "category": ["accuracy"]},
    jit_compile=True,
)
classes = np.random.randint(0, 3, 64)
model.fit(x, {"price": y, "category": classes}, epochs=3, batch_size=16, verbose=0)
