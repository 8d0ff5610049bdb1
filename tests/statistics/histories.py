"""Histories of a made-up benchmark."""

import numpy as np
from scipy import signal

CV = 0.027


def noisy(
    steps: tuple[tuple[int, float], ...] = (), *, points: int = 60, seed: int = 0, rho: float = 0.0
) -> np.ndarray:
    """A history of about 5 ms with relative steps at commits."""
    logs = np.random.default_rng(seed).normal(0, CV, points)
    logs[1:] *= np.sqrt(1 - rho**2)
    logs = signal.lfilter([1.0], [1.0, -rho], logs)
    for commit, size in steps:
        logs[commit:] += np.log1p(size)
    return np.asarray(5.0 * np.exp(logs))
