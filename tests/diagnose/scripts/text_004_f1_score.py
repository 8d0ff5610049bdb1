"""004: F1Score as printed takes sample_weight and never looks at it."""
# finds: weights_without_effect
# says: the metric F1Score at tests/diagnose/scripts/text_004_f1_score.py:18 takes sample_weight

import numpy as np
import tensorflow as tf


class F1Score(tf.keras.metrics.Metric):
    """Stateful F1 score that accumulates TP, FP, FN across batches."""

    def __init__(self, name="f1_score", **kwargs):
        super().__init__(name=name, **kwargs)
        self.tp = self.add_weight(name="tp", initializer="zeros")
        self.fp = self.add_weight(name="fp", initializer="zeros")
        self.fn = self.add_weight(name="fn", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_pred = tf.cast(y_pred >= 0.5, tf.float32)
        y_true = tf.cast(y_true, tf.float32)
        self.tp.assign_add(tf.reduce_sum(y_pred * y_true))
        self.fp.assign_add(tf.reduce_sum(y_pred * (1 - y_true)))
        self.fn.assign_add(tf.reduce_sum((1 - y_pred) * y_true))

    def result(self):
        return 2 * self.tp / (2 * self.tp + self.fp + self.fn + 1e-7)


tf.keras.utils.set_random_seed(1)
x = np.random.randn(64, 4).astype("float32")
y = np.random.randint(0, 2, (64, 1))
model = tf.keras.Sequential(
    [tf.keras.layers.Input((4,)), tf.keras.layers.Dense(1, activation="sigmoid")]
)
model.compile(optimizer="adam", loss="binary_crossentropy", weighted_metrics=[F1Score()])
model.fit(x, y, epochs=2, sample_weight=np.linspace(0.1, 2.0, 64), verbose=0)
