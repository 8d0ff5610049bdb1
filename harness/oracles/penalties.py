"""What the penalties of Keras' regularizers cost, and which way they push."""

from typing import Literal, NamedTuple

import numpy as np

from harness.oracles.arrays import Float64, as_float32


class Penalty(NamedTuple):
    """What a kernel costs: ``l1 * sum(abs(k)) + l2 * sum(k**2) + orthogonal * mean cosine``.

    Attributes:
        l1: Loss per unit of a kernel's elements.
        l2: Loss per squared unit of them.
        orthogonal: Loss where all rows, or columns, are parallel.
        mode: Whether it is the rows or the columns that shall be orthogonal.
    """

    l1: float = 0.0
    l2: float = 0.0
    orthogonal: float = 0.0
    mode: Literal["rows", "columns"] = "rows"

    def rounded(self) -> "Penalty":
        """Return the same penalty with the factors of float32 that Keras keeps."""
        return self._replace(
            l1=as_float32(self.l1),
            l2=as_float32(self.l2),
            orthogonal=as_float32(self.orthogonal),
        )


def penalty_of(penalty: Penalty, kernel: Float64) -> float:
    """Return what a kernel of shape (inputs, outputs) costs, in units of the loss.

    The orthogonal part is the mean over all pairs of ``abs(cosine)``, each pair once.

    Example:
        >>> penalty_of(Penalty(l1=0.5), np.array([[1.0, -2.0]]))
        1.5

    References:
        Keras, `keras.regularizers.L1L2` and `OrthogonalRegularizer`.
    """
    total = penalty.l1 * float(np.sum(np.abs(kernel))) + penalty.l2 * float(np.sum(kernel**2))
    if not penalty.orthogonal:
        return total
    unit, _ = _directions(penalty, kernel)
    cosines = np.triu(unit @ unit.T, 1)
    return total + penalty.orthogonal * float(np.sum(np.abs(cosines))) / _pairs(len(unit))


def penalty_gradient(penalty: Penalty, kernel: Float64) -> Float64:
    """Return the derivative of `penalty_of` by the kernel, same shape.

    That of a size is 0 at 0.
    """
    gradient: Float64 = penalty.l1 * np.sign(kernel) + 2.0 * penalty.l2 * kernel
    if not penalty.orthogonal:
        return gradient
    unit, norms = _directions(penalty, kernel)
    signs = np.sign(unit @ unit.T)
    np.fill_diagonal(signs, 0.0)
    by_unit = penalty.orthogonal / _pairs(len(unit)) * (signs @ unit)
    # Only what turns a vector changes its direction; what is along it is lost in the norm.
    along = np.sum(by_unit * unit, axis=1, keepdims=True)
    turned: Float64 = (by_unit - along * unit) / norms
    return gradient + (turned if penalty.mode == "rows" else turned.T)


def _directions(penalty: Penalty, kernel: Float64) -> tuple[Float64, Float64]:
    """Return the vectors in question as rows of norm 1, and their norms, shape (vectors, 1)."""
    vectors = kernel if penalty.mode == "rows" else kernel.T
    norms = np.sqrt(np.sum(vectors**2, axis=1, keepdims=True))
    unit: Float64 = vectors / norms
    return unit, norms


def _pairs(vectors: int) -> float:
    """Return what a sum over pairs is divided by: their number, 1 where there are none."""
    return max(vectors * (vectors - 1) / 2, 1.0)
