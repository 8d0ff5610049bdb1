# ruff: noqa: ARG002 - Keras' signatures
from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from harness.recorders.watch import CallbackWatch, Request, public_state


class StopsItself(keras.callbacks.Callback):  # type: ignore[misc]
    """Sets the flag in its hook."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Stop."""
        if self.model.stop_training == epoch:  # no assignment
            self.model.stop_training = True


class StopsByHelper(keras.callbacks.Callback):  # type: ignore[misc]
    """Sets the flag in another method."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Stop."""
        self.finish()

    def finish(self) -> None:
        """Stop really."""
        self.model.stop_training = True


class Fails(keras.callbacks.Callback):  # type: ignore[misc]
    """Raises inside a library."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Fail."""
        np.zeros(2).reshape(3)


def line_of(kind: type, text: str) -> int:
    """Return the line of a class that holds a text."""
    lines, start = inspect.getsourcelines(kind)
    return start + next(index for index, line in enumerate(lines) if text in line)


def watched(callback: Any) -> tuple[CallbackWatch, list[Request]]:
    """Return a watch on a callback of a model, and what it tells."""
    told: list[Request] = []
    watch = CallbackWatch(on_stop=told.append, epoch=3)
    callback.set_model(SimpleNamespace(stop_training=False))
    watch.watch(callback)
    return watch, told


@pytest.mark.parametrize(
    ("kind", "hook", "text"),
    [
        (StopsItself, "on_epoch_end", "self.model.stop_training = True"),
        (StopsByHelper, "on_train_batch_end", "self.model.stop_training = True"),
    ],
)
def test_a_stop_is_named_with_the_line_that_assigns(kind: Any, hook: str, text: str) -> None:
    """In the hook or elsewhere in the class; a comparison is no assignment."""
    callback = kind()
    watch, told = watched(callback)
    getattr(callback, hook)(0)
    getattr(callback, hook)(0)
    assert told == watch.stops
    assert watch.stops == [
        Request(
            callback=kind.__name__,
            bases=(kind.__name__, "Callback", "object"),
            hook=hook,
            location=f"{__file__}:{line_of(kind, text)}",
            epoch=3,
        )
    ]


def test_a_raiser_is_named_with_its_own_line() -> None:
    """The line of the callback, not that of the library it called."""
    callback = Fails()
    watch, _ = watched(callback)
    with pytest.raises(ValueError, match="reshape"):
        callback.on_epoch_end(0)
    assert watch.failure is not None
    assert watch.failure.location == f"{__file__}:{line_of(Fails, 'reshape')}"
    assert (watch.failure.callback, watch.failure.hook) == ("Fails", "on_epoch_end")


def test_hooks_that_keras_would_not_call_stay_as_they_are() -> None:
    """A wrapped batch hook would make Keras call it for every batch."""
    callback = Fails()
    watched(callback)
    assert "on_train_batch_end" not in vars(callback)
    assert "on_epoch_end" in vars(callback)


def test_code_without_source_is_unknown() -> None:
    """A callback typed into a prompt still stops and is named."""
    space: dict[str, Any] = {"keras": keras}
    code = (
        "class Typed(keras.callbacks.Callback):\n"
        "    def on_epoch_end(self, epoch, logs=None):\n"
        "        self.model.stop_training = True\n"
    )
    exec(code, space)  # noqa: S102 - code without a file is the subject
    callback = space["Typed"]()
    watch, _ = watched(callback)
    callback.on_epoch_end(0)
    assert (watch.stops[0].callback, watch.stops[0].location) == ("Typed", "unknown")


def test_public_state_is_plain_and_public() -> None:
    """NumPy numbers become Python numbers; arrays, functions and private names stay out."""
    state = public_state(
        SimpleNamespace(wait=1, best=np.float32(0.5), mode="min", _hidden=2, weights=[1], none=None)
    )
    assert state == {"wait": 1, "best": 0.5, "mode": "min"}
    assert type(state["best"]) is float
