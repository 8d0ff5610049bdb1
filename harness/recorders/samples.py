"""Recognises which examples reached a train step, by a fingerprint of their content.

The fingerprint of an example is the sum of its bits, as integers, times fixed odd numbers, modulo
2**64. Integer arithmetic is exact in any order, so the graph and NumPy agree to the last bit,
whatever batch an example is in; nothing has to be added to the data that the user's model sees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Fingerprint"]


class Fingerprint:
    """Fingerprints of examples, in the graph and in NumPy.

    Attributes:
        weights: One odd number per element of an example, shape (elements,).
    """

    def __init__(self, elements: int) -> None:
        """Draw the numbers, the same ones every time.

        Args:
            elements: Elements of the inputs of one example.
        """
        rng = np.random.default_rng(0)
        draws = rng.integers(-(2**62), 2**62, size=elements, dtype=np.int64)
        self.weights: NDArray[np.int64] = draws | np.int64(1)

    def of_array(self, inputs: NDArray[Any]) -> NDArray[np.int64]:
        """Fingerprints of shape (examples,) of inputs of shape (examples, *dims)."""
        flat = np.ascontiguousarray(inputs).reshape(len(inputs), -1)
        if flat.dtype.kind == "f":
            flat = flat.view(f"i{flat.dtype.itemsize}")
        with np.errstate(over="ignore"):
            total: NDArray[np.int64] = (flat.astype(np.int64) * self.weights).sum(axis=1)
        return total

    def of_tensor(self, inputs: Any, rows: int) -> Any:
        """Fingerprints of shape (rows,), zeros behind those of a batch that is not full."""
        import tensorflow as tf  # noqa: PLC0415 - only the graph recorders need it

        flat = tf.reshape(inputs, [-1, len(self.weights)])
        if flat.dtype.is_floating:
            flat = tf.bitcast(flat, {2: "int16", 4: "int32", 8: "int64"}[flat.dtype.size])
        total = tf.reduce_sum(tf.cast(flat, "int64") * self.weights, axis=1)
        return tf.pad(total, [[0, rows - tf.shape(total)[0]]])

    def look_up(self, fingerprints: NDArray[np.int64], inputs: NDArray[Any]) -> NDArray[np.int64]:
        """Indices into `inputs` for `fingerprints` of any shape; -1 where there is none.

        Examples with equal content are one example as far as anybody can see: the first index
        stands for all of them.
        """
        known: dict[int, int] = {}
        for index, value in enumerate(self.of_array(inputs).tolist()):
            known.setdefault(value, index)
        found = [known.get(value, -1) for value in fingerprints.reshape(-1).tolist()]
        return np.asarray(found, dtype=np.int64).reshape(fingerprints.shape)
