"""Regression harness for training with TensorFlow and Keras, run by pytest.

Import what you need from the layers: `harness.spec`, `harness.trace`, `harness.oracles`. This
module stays empty, because it is imported before every pytest session of those who install it.
"""

__version__ = "0.1.0"
