"""Keras callbacks for trainings of one's own.

```python
from harness.callbacks import Preflight

model.fit(x, y, epochs=30, callbacks=[Preflight(), ...])
```

Importing this module imports Keras.
"""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessUsageError, PreflightError
from harness.pipeline.backend import import_keras
from harness.pipeline.plans import FIT_ARGUMENTS, plan_of_fit
from harness.preflight import CallbackPlan, Plan, SourcePlan, check, rules
from harness.spec.findings import known_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import FrameType

    from harness.preflight import Finding

__all__ = ["Preflight", "PreflightWarning", "preflight"]

_keras: Any = import_keras()


class PreflightWarning(UserWarning):
    """Something in the plan of a training has no effect, or another one than it seems to have."""


def preflight(model: Any, /, **arguments: Any) -> tuple[Finding, ...]:
    """What is wrong with ``model.fit(**arguments)``, without running it.

    Data are neither read nor copied; only labels in memory are looked at.

    Args:
        model: Compiled.
        arguments: As they would be given to ``fit``, all by name.

    Returns:
        Findings, what refuses the training first; empty where nothing is wrong.

    Raises:
        HarnessUsageError: ``fit`` has no such argument.
    """
    for name in arguments:
        if name not in FIT_ARGUMENTS and name != "verbose":
            message = (
                f"arguments must be those of fit, got {name!r}. {known_names(name, FIT_ARGUMENTS)}"
            )
            raise HarnessUsageError(message)
    return check(plan_of_fit(model, arguments))


class Preflight(_keras.callbacks.Callback):  # type: ignore[misc]
    """Looks at the whole plan when ``fit`` begins, before any training time is spent.

    A plan that can't work is refused with a `PreflightError`; what has no effect, or another one
    than it seems to have, is warned about. Nothing else happens, then or later.
    """

    only_looks = True

    def __init__(self, *, ignore: Iterable[str] = (), strict: bool = False) -> None:
        """Nothing is looked at yet.

        Args:
            ignore: Names of rules to leave out; each finding ends with the name of its rule.
            strict: Refuse what would only be warned about, too.

        Raises:
            HarnessUsageError: There is no such rule.
        """
        super().__init__()
        self.ignore = (ignore,) if isinstance(ignore, str) else tuple(ignore)
        self.strict = strict
        known = [rule.name for rule in rules()]
        for name in self.ignore:
            if name not in known:
                message = f"ignore must name rules, got {name!r}. {known_names(name, known)}"
                raise HarnessUsageError(message)

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002 - Keras' signature
        """Judge the plan of the ``fit`` that has begun.

        Raises:
            PreflightError: It can't work, or it is not in order and this callback is strict.
        """
        found = [item for item in check(self._plan()) if item.rule not in self.ignore]
        refused = [item for item in found if self.strict or item.severity == "refuse"]
        for item in found:
            if item not in refused:
                _warn(str(item))
        if refused:
            head = "This training is refused before its first step"
            raise PreflightError("\n".join([f"{head}:", *(f"  {item}" for item in refused)]))

    def _plan(self) -> Plan:
        """From the arguments of the running ``fit``; a loop without one tells less."""
        for frame in _callers():
            if frame.f_code.co_name == "fit" and frame.f_locals.get("self") is self.model:
                names = frame.f_locals
                given = {name: names[name] for name in FIT_ARGUMENTS if name in names}
                # What the user gave as a split has been split by now.
                return plan_of_fit(self.model, given, split_done=bool(given["validation_split"]))
        params = self.params or {}
        return Plan(
            epochs=params.get("epochs") or 1,
            source=SourcePlan(kind="other", batches=params.get("steps")),
            callbacks=(CallbackPlan(index=0, name="Preflight"),),
        )


def _warn(message: str) -> None:
    """Warn about the line that called ``fit``, wherever Keras is between it and here."""
    for frame in _callers():
        name = frame.f_globals.get("__name__", "")
        if name != __name__ and name.partition(".")[0] != "keras":
            place = frame.f_code.co_filename
            warnings.warn_explicit(message, PreflightWarning, place, frame.f_lineno, module=name)
            return


def _callers() -> Iterator[FrameType]:
    """Frames from here outwards. Keras tells callbacks neither the data nor the other callbacks."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - documented, CPython
    while frame is not None:
        yield frame
        frame = frame.f_back
