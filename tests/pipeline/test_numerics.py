from __future__ import annotations

import random
from typing import Any

import keras
import numpy as np
import pytest

from harness.pipeline.numerics import names_from_zero, numerics, seed_everything, seed_python
from harness.spec.pipeline import PipelineSpec


@pytest.mark.parametrize(
    ("policy", "floatx"),
    [("float64", "float64"), ("float32", "float32"), ("mixed_float16", "float32")],
)
def test_precision_holds_inside_and_is_put_back_outside(policy: Any, floatx: str) -> None:
    """Even when what runs inside fails."""
    spec = PipelineSpec.model_validate({"precision": {"policy": policy}})
    before = (keras.config.dtype_policy().name, keras.config.floatx())

    def fail_inside() -> None:
        with numerics(spec):
            assert keras.config.dtype_policy().name == policy
            assert keras.config.floatx() == floatx
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_inside()
    assert (keras.config.dtype_policy().name, keras.config.floatx()) == before


@pytest.mark.parametrize("seed", [seed_everything, seed_python])
def test_seeds_do_not_leak_into_global_generators(seed: Any) -> None:
    """Python and NumPy draw what they would have drawn without the run."""
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002 - the global one is the subject
    expected = (random.random(), np.random.rand())  # noqa: NPY002
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    draws = []
    with numerics(PipelineSpec()):
        for _ in "ab":
            seed(5)
            draws.append((random.random(), np.random.rand()))  # noqa: NPY002
    assert draws[0] == draws[1]
    assert (random.random(), np.random.rand()) == expected  # noqa: NPY002


def test_numbering_starts_again_and_goes_on() -> None:
    """Inside, unnamed layers do not tell how many there were; outside nothing has happened."""
    before = keras.layers.Dense(1).name
    for _ in "ab":
        with names_from_zero():
            assert keras.layers.Dense(1).name == "dense"
            assert keras.layers.Dense(1).name == "dense_1"
    number = int(before.removeprefix("dense").removeprefix("_") or 0)
    assert keras.layers.Dense(1).name == f"dense_{number + 1}"
