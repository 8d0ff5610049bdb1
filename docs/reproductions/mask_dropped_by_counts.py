"""Precision, recall and RootMeanSquaredError count masked predictions.

A mask says which steps are padding, and losses and metrics behind it are documented to leave them
out. Metrics that are means of a function do since 3.12; those that count, or take a root, do not.
"""

import sys

import keras
import numpy as np

model = keras.Sequential(
    [
        keras.Input((4,), dtype="int32"),
        keras.layers.Embedding(3, 2, mask_zero=True, embeddings_initializer="zeros"),
        keras.layers.Dense(1, bias_initializer="ones"),
    ]
)
names = ["precision", "root_mean_squared_error"]
model.compile("sgd", "mse", metrics=[keras.metrics.Precision(), "root_mean_squared_error"])
texts, labels = np.array([[1, 2, 0, 0]]), np.array([[[1.0], [1.0], [0.0], [0.0]]])
logs = model.evaluate(texts, labels, verbose=0, return_dict=True)

got = [round(logs[name], 3) for name in names]
print("got:     ", dict(zip(names, got, strict=True)))
print("expected:", dict(zip(names, [1.0, 0.0], strict=True)))
sys.exit(int(got != [1.0, 0.0]))
