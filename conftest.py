"""Set-up shared by our own tests and the bundled scenarios; what runs before anything else."""

import os

# TensorFlow reads this once, when it is imported; 2 leaves errors only.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

pytest_plugins = ("pytester",)
