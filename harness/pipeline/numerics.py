"""Seeds, dtype policy and default float of a run; puts back what it changed."""

from __future__ import annotations

import importlib
import random
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from harness.pipeline.backend import import_keras

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.spec.pipeline import PipelineSpec

__all__ = ["names_from_zero", "numerics", "seed_everything", "seed_python"]


@contextmanager
def numerics(spec: PipelineSpec) -> Iterator[None]:
    """Within this, Keras builds and runs in the pipeline's precision.

    Under ``float64`` the default float is float64 too, because Keras casts arrays to it. The
    states of Python's and NumPy's global generators are put back afterwards; the global seeds of
    TensorFlow and Keras have no public way to be read, so they stay.
    """
    keras = import_keras()
    policy, floatx = keras.mixed_precision.dtype_policy(), keras.config.floatx()
    python_state = random.getstate()
    numpy_state = np.random.get_state()  # noqa: NPY002 - the global one is what Keras seeds
    try:
        keras.config.set_floatx("float64" if spec.precision.policy == "float64" else "float32")
        keras.mixed_precision.set_dtype_policy(spec.precision.policy)
        yield
    finally:
        keras.config.set_floatx(floatx)
        keras.mixed_precision.set_dtype_policy(policy)
        random.setstate(python_state)
        np.random.set_state(numpy_state)  # noqa: NPY002 - see above


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and the backend the way Keras documents it."""
    import_keras().utils.set_random_seed(seed)


def seed_python(seed: int) -> None:
    """Seed Python and NumPy only.

    Seeding TensorFlow makes it forget every compiled function it has instantiated, which costs a
    kept pipeline 25 ms to get back: only what draws from TensorFlow's global generator needs it.
    """
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the global one is what Keras and user code draw from


@contextmanager
def names_from_zero() -> Iterator[None]:
    """Within this, Keras numbers unnamed layers and seed generators as if it had made none before.

    Otherwise the paths of variables tell how many models this process has built.
    """
    # Keras 3 has no public way; the name is the same from 3.0 to 3.15.
    state = importlib.import_module("keras.src.backend.common.global_state")
    counts = state.get_global_attribute("object_name_uids")
    state.set_global_attribute("object_name_uids", None)
    try:
        yield
    finally:
        state.set_global_attribute("object_name_uids", counts)
