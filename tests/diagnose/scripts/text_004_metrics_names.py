"""004: metrics_names does not name what evaluate returns."""
# finds: metrics_names_mislead
# says: model.metrics_names gave loss, compile_metrics, evaluate returns 3 values: loss, accuracy,
# says: Use evaluate(..., return_dict=True).

import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(1)
x = np.random.randn(128, 10).astype("float32")
y = (x[:, :3].sum(axis=1) > 0).astype("float32")
model = tf.keras.Sequential(
    [tf.keras.layers.Input((10,)), tf.keras.layers.Dense(1, activation="sigmoid")]
)
model.compile(
    optimizer="adam",
    loss="binary_crossentropy",
    metrics=[
        tf.keras.metrics.BinaryAccuracy(name="accuracy"),
        tf.keras.metrics.AUC(name="auc"),
    ],
)
model.fit(x, y, epochs=2, batch_size=32, verbose=0)
results = model.evaluate(x, y, verbose=0)
for name, value in zip(model.metrics_names, results):
    print(f"{name:>12s}: {value:.4f}")
