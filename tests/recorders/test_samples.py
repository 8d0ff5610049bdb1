from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from harness.recorders.samples import Fingerprint

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int64", "int32", "uint8"])
def test_graph_and_numpy_agree_to_the_last_bit(dtype: Any) -> None:
    """In any batch, at any place."""
    inputs = (100 * RNG.standard_normal((6, 2, 3))).astype(dtype)
    fingerprint = Fingerprint(6)
    expected = fingerprint.of_array(inputs)
    assert len(set(expected.tolist())) == 6
    batch = fingerprint.of_tensor(tf.constant(inputs[[4, 1]]), 3).numpy()
    assert batch.tolist() == [expected[4], expected[1], 0]


def test_unknown_examples_are_minus_one_and_equal_ones_share_the_first_index() -> None:
    """A sign of zero is a difference; content is all that counts."""
    inputs = np.array([[1.0], [0.0], [1.0], [-0.0]])
    fingerprint = Fingerprint(1)
    prints = fingerprint.of_array(np.array([[1.0], [-0.0], [5.0]]))
    assert fingerprint.look_up(prints, inputs).tolist() == [0, 3, -1]
