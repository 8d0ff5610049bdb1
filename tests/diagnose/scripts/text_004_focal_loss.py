"""004: FocalLoss as printed reduces before anybody can weigh its examples."""
# finds: weights_without_effect
# says: class_weight is given, and the loss FocalLoss at
# says: Return one value an example, without reduce_mean; Keras weighs and averages.

import numpy as np
import tensorflow as tf


class FocalLoss(tf.keras.losses.Loss):
    """Focal loss for imbalanced classification."""

    def call(self, y_true, y_pred):
        y_pred = tf.clip_by_value(y_pred, 1e-7, 1.0 - 1e-7)
        y_true = tf.cast(y_true, y_pred.dtype)
        cross_entropy = -y_true * tf.math.log(y_pred)
        weight = 0.25 * y_true * tf.pow(1.0 - y_pred, 2.0)
        return tf.reduce_mean(weight * cross_entropy)


tf.keras.utils.set_random_seed(1)
x = np.random.randn(64, 4).astype("float32")
y = np.random.randint(0, 2, (64, 1))
model = tf.keras.Sequential(
    [tf.keras.layers.Input((4,)), tf.keras.layers.Dense(1, activation="sigmoid")]
)
model.compile(optimizer="adam", loss=FocalLoss())
model.fit(x, y, epochs=2, class_weight={0: 1.0, 1: 5.0}, verbose=0)
