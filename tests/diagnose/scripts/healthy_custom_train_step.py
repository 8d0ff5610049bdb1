"""A train_step of one's own with a metric of one's own, run in executions of two steps."""

import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.normal(size=(64, 4)).astype("float32")
y = x[:, :1] + 0.1 * np.random.normal(size=(64, 1)).astype("float32")

import tensorflow as tf


class Model(keras.Model):
    """One dense layer."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)
        self.seen = keras.metrics.Mean(name="loss")

    def call(self, inputs):
        return self.dense(inputs)

    def train_step(self, data):
        features, target = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(y=target, y_pred=self(features, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        self.seen.update_state(loss)
        return {"loss": self.seen.result()}


model = Model()
model.compile(optimizer="adam", loss="mse", steps_per_execution=2)
model.fit(x, y, epochs=4, batch_size=16, verbose=0)
