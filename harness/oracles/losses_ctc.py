"""The connectionist temporal classification loss by its forward recursion, in float64.

Graves, Fernández, Gomez, Schmidhuber, "Connectionist temporal classification", ICML 2006,
section 4.1. VARIANT: number 0 is the blank and fills up short transcripts, as Keras documents.
"""

import numpy as np

from harness.oracles.arrays import Float64, Int64

__all__ = ["transcript_losses"]

BLANK = 0


def transcript_losses(y_true: Float64 | Int64, y_pred: Float64) -> Float64:
    """Return minus the logarithm of the probability of each transcript, over all alignments.

    Args:
        y_true: Label numbers, shape (samples, labels), each row filled up with zeros.
        y_pred: Scores before the softmax, shape (samples, steps, classes).
    """
    log_shares = y_pred - np.logaddexp.reduce(y_pred, axis=-1, keepdims=True)
    numbers = np.asarray(y_true).astype(np.int64)
    losses = [
        -_log_probability(row[row != BLANK], shares)
        for row, shares in zip(numbers, log_shares, strict=True)
    ]
    return np.array(losses, np.float64)


def _log_probability(labels: Int64, log_shares: Float64) -> float:
    """Logarithm of the probability that the steps say `labels`, a blank between any two."""
    states = np.full(2 * len(labels) + 1, BLANK)
    states[1::2] = labels
    # A blank may be left out between two labels that differ, never between equal ones.
    skips = np.zeros(len(states), bool)
    skips[2:] = (states[2:] != BLANK) & (states[2:] != states[:-2])
    forward = np.full(len(states), -np.inf)
    forward[:2] = log_shares[0][states[:2]]
    for shares in log_shares[1:]:
        before = np.concatenate([[-np.inf, -np.inf], forward])
        skipped = np.where(skips, before[:-2], -np.inf)
        reached = np.logaddexp(np.logaddexp(before[2:], before[1:-1]), skipped)
        forward = reached + shares[states]
    return float(np.logaddexp.reduce(forward[-2:]))
