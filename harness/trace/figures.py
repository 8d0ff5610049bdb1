"""Named numbers of one trace, for bounds, benchmarks and history."""

import difflib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import numpy as np

from harness.errors import HarnessUsageError
from harness.trace._record import Float64

if TYPE_CHECKING:
    from harness.trace.trace import Trace

_MOST_EPOCHS: Final = 1000
_FEWEST_EPOCHS: Final = 3


def figure(trace: "Trace", name: str) -> float:
    """Return one number that sums up a trace.

    The names are ``steps``, ``updates``, ``epochs``, ``final_loss``, ``final_step_loss`` (of the
    last step's batch alone), ``peak_device_bytes`` (of a GPU), ``peak_rss_bytes``,
    ``peak_rss_growth_bytes`` (beyond what was resident before the first step),
    ``rss_growth_per_epoch_bytes``, ``rss_growth_per_step_bytes`` (where memory was recorded after
    each batch), ``wall_seconds``, ``traces``, and for each key of the epoch logs ``logs.<key>``
    (its last value), ``max.<key>`` and ``min.<key>`` (NaN once one epoch was NaN), and
    ``evaluation.<key>``.

    Raises:
        HarnessUsageError: There is no such figure, or what it needs was not recorded.
    """
    if name in _PLAIN:
        return _PLAIN[name](trace)
    family, _, key = name.partition(".")
    if family == "evaluation" and trace.evaluation is not None and key in trace.evaluation:
        return trace.evaluation[key]
    if family in _FAMILIES:
        values = [record.logs[key] for record in trace.epochs if key in record.logs]
        if values:
            return _FAMILIES[family](values)
    raise HarnessUsageError(_unknown(name, figure_names(trace)))


def figure_names(trace: "Trace") -> tuple[str, ...]:
    """Return every name that `figure` knows for this trace, in a fixed order."""
    keys = dict.fromkeys(key for record in trace.epochs for key in record.logs)
    logs = (f"{family}.{key}" for family in _FAMILIES for key in keys)
    evaluation = (f"evaluation.{key}" for key in trace.evaluation or {})
    return (*_PLAIN, *logs, *evaluation)


def _unknown(name: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or known
    return f"figure must be one that this trace has, got {name!r}. Nearest: {', '.join(near)}."


def _final_loss(trace: "Trace") -> float:
    """Return the loss logged by the last epoch that logged one, else that of the last step."""
    for record in reversed(trace.epochs):
        if "loss" in record.logs:
            return record.logs["loss"]
    if trace.steps.loss is None or len(trace.steps) == 0:
        message = "final_loss must come from an epoch log or a step, got neither. Record losses."
        raise HarnessUsageError(message)
    return float(trace.steps.loss[-1])


def _final_step_loss(trace: "Trace") -> float:
    if len(trace.steps) == 0:
        message = "final_step_loss must come from a step, got a run without any."
        raise HarnessUsageError(message)
    return float(trace.steps.column("loss")[-1])


def _traces(trace: "Trace") -> float:
    if trace.resources.traces is None:
        message = "traces must be counted, got a run without a count. Use a loop that is compiled."
        raise HarnessUsageError(message)
    return float(trace.resources.traces)


def _rss_growth(trace: "Trace") -> float:
    """Return the Theil-Sen slope of resident memory over epochs, in bytes an epoch.

    It is the median of ``(rss_j - rss_i) / (j - i)`` over all pairs of epochs ``i < j`` but the
    first, in which TensorFlow still compiles and allocates. One epoch that peaks cannot move
    it: up to 29 % of the points may be wrong. Of more than 1000 epochs, 1000 evenly spaced ones
    are used.

    References:
        Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau", JASA 63 (1968).
    """
    if len(trace.epochs) < _FEWEST_EPOCHS:
        message = (
            f"rss_growth_per_epoch_bytes must see at least {_FEWEST_EPOCHS} epochs, "
            f"got {len(trace.epochs)}. Train for longer: the first is warm-up and is left out."
        )
        raise HarnessUsageError(message)
    memory = np.array([record.rss_bytes for record in trace.epochs[1:]], dtype=np.float64)
    count = min(len(memory), _MOST_EPOCHS)
    chosen = np.round(np.linspace(0, len(memory) - 1, count)).astype(np.int64)
    return _theil_sen(chosen.astype(np.float64), memory[chosen])


def _peak_device(trace: "Trace") -> float:
    if trace.resources.peak_device_bytes is None:
        message = "peak_device_bytes must be measured on a GPU, got a run without one."
        raise HarnessUsageError(message)
    return float(trace.resources.peak_device_bytes)


def _rss_growth_per_step(trace: "Trace") -> float:
    """Return the Theil-Sen slope of resident memory over steps behind the first epoch, in bytes."""
    first = trace.epochs[0].epoch if trace.epochs else None
    seen = [
        (float(event.step), float(event.detail["rss_bytes"]))
        for event in trace.events
        if (event.kind, event.name) == ("memory", "batch")
        and event.step is not None
        and event.epoch != first
    ]
    if len(seen) < _FEWEST_EPOCHS:
        message = (
            f"rss_growth_per_step_bytes must see at least {_FEWEST_EPOCHS} batches behind the "
            f"first epoch, got {len(seen)}. Train for longer, with an expectation that records "
            "memory: memory_is_flat, peak_memory_is_flat or a memory_leak."
        )
        raise HarnessUsageError(message)
    chosen = np.round(np.linspace(0, len(seen) - 1, min(len(seen), _MOST_EPOCHS))).astype(np.int64)
    step, memory = np.array(seen, dtype=np.float64)[chosen].T
    return _theil_sen(step, memory)


def _theil_sen(x: Float64, y: Float64) -> float:
    first, second = np.triu_indices(len(x), k=1)
    return float(np.median((y[second] - y[first]) / (x[second] - x[first])))


_PLAIN: Final[Mapping[str, Callable[["Trace"], float]]] = {
    "steps": lambda trace: float(len(trace.steps)),
    "updates": lambda trace: float(trace.updates),
    "epochs": lambda trace: float(len(trace.epochs)),
    "final_loss": _final_loss,
    "final_step_loss": _final_step_loss,
    "peak_device_bytes": _peak_device,
    "peak_rss_bytes": lambda trace: float(trace.resources.peak_rss_bytes),
    "peak_rss_growth_bytes": lambda trace: float(
        trace.resources.peak_rss_bytes - trace.resources.start_rss_bytes
    ),
    "rss_growth_per_epoch_bytes": _rss_growth,
    "rss_growth_per_step_bytes": _rss_growth_per_step,
    "wall_seconds": lambda trace: trace.resources.wall_seconds,
    "traces": _traces,
}

_FAMILIES: Final[Mapping[str, Callable[[list[float]], float]]] = {
    "logs": lambda values: values[-1],
    "max": lambda values: float(np.max(values)),
    "min": lambda values: float(np.min(values)),
}
