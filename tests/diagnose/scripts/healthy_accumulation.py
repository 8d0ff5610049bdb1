"""Accumulated gradients, clipping, a moving average and a schedule of the right length."""

import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.normal(size=(64, 4)).astype("float32")
y = x[:, :1] + 0.1 * np.random.normal(size=(64, 1)).astype("float32")

schedule = keras.optimizers.schedules.CosineDecay(0.01, decay_steps=24)
optimizer = keras.optimizers.AdamW(
    schedule,
    weight_decay=1e-3,
    global_clipnorm=1.0,
    use_ema=True,
    ema_momentum=0.9,
    gradient_accumulation_steps=2,
)
model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
model.compile(optimizer=optimizer, loss="mse")
model.fit(x, y, epochs=6, batch_size=16, verbose=0)
