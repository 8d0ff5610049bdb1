"""Gradient clipping: by value, by the norm of each variable, by the norm over all variables.

Non-finite gradients pass through as the formulas say: by value, infinities become the limit and
NaN stays; by norm, a NaN makes the whole variable NaN, while an infinity becomes NaN and sends the
finite elements beside it to zero; by global norm, any NaN or infinity makes every element NaN, so
that one bad variable cannot be mistaken for a small step. Norms are scaled by a power of two
before squaring, so that only a truly infinite gradient has an infinite norm.
"""

from collections.abc import Sequence

import numpy as np

from harness.oracles.arrays import ArgumentError, Float64, require_positive


def norm_of(gradient: Float64) -> float:
    """Return the Euclidean norm over all elements, 0 for an empty array.

    Squares neither overflow nor underflow: ``2**e * sqrt(sum((g / 2**e)**2))`` with the exponent e
    of the largest element.
    """
    largest = float(np.max(np.abs(gradient), initial=0.0))
    if largest == 0.0 or not np.isfinite(largest):
        return largest
    exponent = int(np.frexp(largest)[1])
    return float(np.ldexp(np.sqrt(np.sum(np.ldexp(gradient, -exponent) ** 2)), exponent))


def global_norm(gradients: Sequence[Float64 | None]) -> float:
    """Return the Euclidean norm over all elements of all variables; None entries are left out."""
    norms = [norm_of(gradient) for gradient in gradients if gradient is not None]
    return norm_of(np.array(norms, dtype=np.float64))


def clip_by_value(gradient: Float64, clipvalue: float) -> Float64:
    """Return ``min(max(g, -clipvalue), clipvalue)`` element by element, shape (*dims).

    The direction changes where only some elements are cut. NaN stays NaN.

    Raises:
        ArgumentError: `clipvalue` is not positive.

    References:
        Keras, `keras.optimizers.Optimizer`, argument `clipvalue`.
    """
    require_positive(clipvalue=clipvalue)
    return np.clip(gradient, -clipvalue, clipvalue)


def clip_by_norm(gradient: Float64, clipnorm: float) -> Float64:
    """Return the gradient of one variable with its norm cut to `clipnorm`, shape (*dims).

    ``g * min(1, clipnorm / |g|)``; below or at the limit nothing changes, not even the last bit.

    Example:
        >>> clip_by_norm(np.array([3.0, 4.0]), 1.0).tolist()
        [0.6000000000000001, 0.8]

    Raises:
        ArgumentError: `clipnorm` is not positive.

    References:
        Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent neural networks",
        ICML 2013, Algorithm 1. Keras, argument `clipnorm`.
    """
    require_positive(clipnorm=clipnorm)
    norm = norm_of(gradient)
    if norm <= clipnorm:
        return gradient.copy()
    with np.errstate(invalid="ignore"):
        return gradient * (clipnorm / norm)


def clip_by_global_norm(
    gradients: Sequence[Float64 | None], global_clipnorm: float
) -> tuple[Float64 | None, ...]:
    """Return all gradients, scaled by one factor so that their common norm is at most the limit.

    ``g * min(1, global_clipnorm / norm)`` with the norm over all elements of all variables. None
    entries stay None and count as nothing. An infinite or NaN norm gives NaN everywhere.

    Raises:
        ArgumentError: `global_clipnorm` is not positive.

    References:
        Pascanu, Mikolov & Bengio, ICML 2013, Algorithm 1. TensorFlow, `tf.clip_by_global_norm`:
        "If global_norm == infinity then the entries in list_clipped are all set to NaN".
    """
    require_positive(global_clipnorm=global_clipnorm)
    norm = global_norm(gradients)
    if norm <= global_clipnorm:
        return tuple(None if gradient is None else gradient.copy() for gradient in gradients)
    factor = global_clipnorm / norm if np.isfinite(norm) else np.nan
    return tuple(None if gradient is None else gradient * factor for gradient in gradients)


def clip(
    gradients: Sequence[Float64 | None],
    *,
    clipvalue: float | None = None,
    clipnorm: float | None = None,
    global_clipnorm: float | None = None,
) -> tuple[Float64 | None, ...]:
    """Return the gradients of all variables under at most one clipping rule.

    Args:
        gradients: One array per variable, None where a variable has no gradient.
        clipvalue: Largest absolute value of an element.
        clipnorm: Largest norm of each variable.
        global_clipnorm: Largest norm over all variables together.

    Raises:
        ArgumentError: More than one rule is given, or a limit is not positive.
    """
    given = [rule for rule in (clipvalue, clipnorm, global_clipnorm) if rule is not None]
    if len(given) > 1:
        msg = (
            "clipvalue, clipnorm and global_clipnorm must not be set together, got "
            f"{clipvalue!r}, {clipnorm!r} and {global_clipnorm!r}. Keep one of them."
        )
        raise ArgumentError(msg)
    if global_clipnorm is not None:
        return clip_by_global_norm(gradients, global_clipnorm)
    if clipnorm is not None:
        return tuple(None if g is None else clip_by_norm(g, clipnorm) for g in gradients)
    if clipvalue is not None:
        return tuple(None if g is None else clip_by_value(g, clipvalue) for g in gradients)
    return tuple(gradients)
