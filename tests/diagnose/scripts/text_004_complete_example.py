"""004, the complete example in small: cosine schedule and ReduceLROnPlateau, steps miscounted."""
# finds: rate_has_two_masters schedule_ends_early alpha_is_a_share
# says: the first plateau raises an error, and the training is lost
# says: it leaves out the last, partial batch of each of 3 epochs

import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.randn(100, 8).astype("float32")
y = np.random.randint(0, 3, 100)
total_steps = (100 // 16) * 3
optimizer = keras.optimizers.AdamW(
    learning_rate=keras.optimizers.schedules.CosineDecay(1e-3, decay_steps=total_steps, alpha=1e-5),
    weight_decay=1e-4,
    global_clipnorm=1.0,
)
model = keras.Sequential([keras.layers.Input((8,)), keras.layers.Dense(3)])
model.compile(
    optimizer=optimizer,
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
callbacks = [
    keras.callbacks.EarlyStopping(monitor="val_loss", patience=5, restore_best_weights=True),
    keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=1, min_lr=1e-6),
]
model.fit(
    x, y, validation_data=(x[:20], y[:20]), epochs=3, batch_size=16, callbacks=callbacks, verbose=0
)
