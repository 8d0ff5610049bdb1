# ruff: noqa: ARG002 - Keras' signatures
"""What a training keeps from epoch to epoch: tensors, traced functions, things in callbacks.

Everything that was there when the training began is frozen out of Python's garbage collector
meanwhile, so that looking at what is new costs microseconds and not half a second.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter, deque
from collections.abc import Mapping, Sized
from typing import TYPE_CHECKING, Any, Final

import tensorflow as tf

from harness.pipeline.backend import import_keras
from harness.trace import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harness.trace._record import Detail

__all__ = ["Keeping", "batch_watcher"]

_CONTAINERS: Final = (list, tuple, set, frozenset, dict, deque)


class Keeping:
    """Counts what is alive and new since `begin`.

    Attributes:
        active: Between `begin` and `end`.
    """

    def __init__(self) -> None:
        """Nothing is frozen yet."""
        self.active = False
        # A private name in TensorFlow, and all there is: the class of what `tf.constant` returns.
        self._tensor: type | None = None

    def begin(self) -> None:
        """From now on everything is new."""
        self.end()
        self._tensor = type(tf.constant(0))
        gc.collect()
        gc.freeze()
        self.active = True

    def end(self) -> None:
        """Look no longer, and give the old objects back to the garbage collector."""
        if self.active:
            gc.unfreeze()
            self.active = False

    def event(self, epoch: int, callbacks: Iterable[Any], traces: int) -> Event:
        """What is alive at the end of an epoch.

        Args:
            epoch: Its index.
            callbacks: The user's, whose containers are measured.
            traces: How often the train step was traced so far.
        """
        gc.collect()
        detail: dict[str, Detail] = {"traces": traces}
        sizes: Counter[str] = Counter()
        functions: Counter[str] = Counter()
        for found in gc.get_objects():
            if type(found) is self._tensor:
                kind = f"tensor.{_kind(found)}"
                sizes[kind] += 1
                detail[f"bytes.{_kind(found)}"] = _bytes(found)
            elif type(found).__name__ == "FuncGraph":
                functions[f"function.{found.name}"] += 1
        detail |= sizes | functions
        for name, container in _containers(callbacks):
            detail[f"things.{name}"] = _length(container)
            last = _last(container)
            if last is not None:
                detail[f"last.{name}"] = type(last).__name__
                detail[f"size.{name}"] = _bytes(last)
        return Event(kind="memory", name="epoch", epoch=epoch, detail=detail)


def batch_watcher(note: Callable[[], None]) -> Any:
    """Comes last and notes the memory after each batch."""
    keras = import_keras()

    class BatchWatcher(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            note()

    return BatchWatcher()


def _containers(callbacks: Iterable[Any]) -> Iterable[tuple[str, Sized]]:
    for callback in callbacks:
        for name, value in vars(callback).items():
            # Keras' own bookkeeping: the parameters of the fit, and the model.
            if isinstance(value, _CONTAINERS) and name not in ("params", "_params"):
                yield f"{type(callback).__name__}.{name}", value


def _length(container: Sized) -> int:
    """How many things it holds, those in containers inside it included."""
    inner = container.values() if isinstance(container, Mapping) else container
    nested = [item for item in inner if isinstance(item, _CONTAINERS)]  # type: ignore[attr-defined]
    return len(container) + sum(len(item) for item in nested)


def _last(container: Any) -> Any:
    """The thing that was most likely added last."""
    if isinstance(container, set | frozenset) or not container:
        return next(iter(container), None)
    last = next(reversed(container.values() if isinstance(container, dict) else container))
    return last[-1] if isinstance(last, list | tuple | deque) and last else last


def _kind(tensor: Any) -> str:
    return f"{tuple(tensor.shape)} {tensor.dtype.name}"


def _bytes(thing: Any) -> int:
    size = getattr(thing, "nbytes", None)
    if size is None and hasattr(thing, "dtype") and hasattr(thing, "shape"):
        size = thing.dtype.size * (thing.shape.num_elements() or 0)
    return int(size) if isinstance(size, int) else sys.getsizeof(thing)
