"""Whether there is anything to train with, asked before the modules that need it are loaded."""

from __future__ import annotations

from harness.pipeline.backend import import_keras, import_tensorflow

__all__ = ["require_backend"]


def require_backend() -> None:
    """Load Keras and TensorFlow.

    Raises:
        MissingBackendError: One of them is not here; the message says what to install.
    """
    import_keras()
    import_tensorflow()
