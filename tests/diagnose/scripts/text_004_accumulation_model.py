"""004: the GradientAccumulationModel as printed fails in graph mode."""
# finds: python_branch_in_graph
# says: gradient_accumulation_steps

import numpy as np
import tensorflow as tf


class GradientAccumulationModel(tf.keras.Model):
    """Model that accumulates gradients over multiple mini-batches."""

    def __init__(self, base_model, accumulation_steps=4):
        super().__init__()
        self.base_model = base_model
        self.accumulation_steps = accumulation_steps
        self.step_count = tf.Variable(0, trainable=False, dtype=tf.int32)
        self.gradient_accumulator = None

    def call(self, inputs, training=False):
        return self.base_model(inputs, training=training)

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred) / self.accumulation_steps
        tape.gradient(loss, self.base_model.trainable_variables)
        self.step_count.assign_add(1)
        if self.step_count % self.accumulation_steps == 0:
            print("apply")
        return {"loss": loss}


x = np.random.randn(64, 10).astype("float32")
base = tf.keras.Sequential([tf.keras.layers.Input((10,)), tf.keras.layers.Dense(1)])
model = GradientAccumulationModel(base)
model.compile(optimizer="adam", loss="mse")
model.fit(x, x[:, :1], epochs=2, batch_size=32, verbose=0)
