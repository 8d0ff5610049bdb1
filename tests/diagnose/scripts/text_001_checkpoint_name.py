"""001, example 3: ModelCheckpoint(filepath="model_weights")."""
# finds: checkpoint_name
# says: Call it model.keras, or with save_weights_only=True model.weights.h5.
# says: text_001_checkpoint_name.py:8: The filepath provided must end in `.keras`

import tensorflow as tf

tf.keras.callbacks.ModelCheckpoint(
    filepath="model_weights", monitor="val_loss", save_best_only=True
)
