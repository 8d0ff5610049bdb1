"""Gradient clipping, on the mean gradient of each update."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from harness.invariants.base import NothingToJudge, Reason, View, Violation, invariant
from harness.invariants.readings import (
    Gradients,
    accumulation_steps,
    builtin_optimizer,
    gradient_reader,
    skipped_steps,
    window_ends,
)
from harness.oracles.arrays import Float64
from harness.oracles.averaging import accumulated, mean_gradient
from harness.oracles.clipping import clip, global_norm, norm_of
from harness.oracles.loss_scaling import all_finite
from harness.trace.recording import Recording


class Limits(NamedTuple):
    """The clipping arguments of an optimizer; at most one is not None."""

    clipvalue: float | None
    clipnorm: float | None
    global_clipnorm: float | None


class Update(NamedTuple):
    """Gradients of one update.

    Attributes:
        step: Row of the step that updated.
        mean: Mean gradient of its window per variable, None where there was none.
        clipped: What reached the update per variable, shape (*dims).
    """

    step: int
    mean: Gradients
    clipped: tuple[Float64, ...]


@invariant(
    "clipping_respects_limit",
    records=Recording.of("gradients", "state"),
    source="Keras, Optimizer(clipvalue, clipnorm, global_clipnorm); 002, gradient clipping",
)
def clipping_respects_limit(view: View, reason: Reason) -> tuple[Violation, ...]:
    """A clipped gradient keeps within its limit and its direction; below the limit it is untouched.

    What is clipped is the mean gradient of the update: per element by value, per variable by norm,
    over all variables by global norm. Updates with a non-finite gradient have no norm to speak of
    and are left to `clipping_matches_oracle`.

    Raises:
        NothingToJudge: The optimizer clips nothing.
    """
    limits = limits_of(view)
    paths = [variable.path for variable in view.gradients.variables]
    for update in updates(view):
        if not all_finite(update.mean):
            continue
        scale = _Scale(view, reason, update.step)
        pairs = [
            (path, mean, got)
            for path, mean, got in zip(paths, update.mean, update.clipped, strict=True)
            if mean is not None
        ]
        rules = (_by_value, _by_norm, _by_global_norm)
        for rule, limit in zip(rules, limits, strict=True):
            found = None if limit is None else rule(scale, limit, pairs)
            if found is not None:
                return (found,)
    return ()


@invariant(
    "clipping_matches_oracle",
    records=Recording.of("gradients", "state"),
    source="Keras, Optimizer(clipvalue, clipnorm, global_clipnorm); Pascanu et al., ICML 2013",
)
def clipping_matches_oracle(view: View, reason: Reason) -> tuple[Violation, ...]:
    """What reaches the update is the oracle's clipping of the mean gradient, element by element.

    Raises:
        NothingToJudge: The optimizer clips nothing.
    """
    limits = limits_of(view)
    paths = [variable.path for variable in view.gradients.variables]
    for update in updates(view):
        expected = clip(update.mean, **limits._asdict())
        for path, got, wanted in zip(paths, update.clipped, expected, strict=True):
            if wanted is None:
                continue
            mismatch = view.differs(
                got, wanted, quantity="clipped gradient", where=path, step=update.step
            )
            if mismatch is not None:
                return (view.numeric(reason, mismatch),)
    return ()


def limits_of(view: View) -> Limits:
    """Return the clipping arguments of the optimizer.

    Raises:
        NothingToJudge: It clips nothing, or is the user's own.
    """
    optimizer = builtin_optimizer(view)
    limits = Limits(optimizer.clipvalue, optimizer.clipnorm, optimizer.global_clipnorm)
    if all(limit is None for limit in limits):
        message = (
            "optimizer must have clipvalue, clipnorm or global_clipnorm for its clipping to be "
            "judged, got none of them."
        )
        raise NothingToJudge(message)
    return limits


def updates(view: View) -> Iterator[Update]:
    """Yield the mean and the clipped gradients of each step that must update the weights.

    A window starts empty when training begins; one that was open before is not known and its
    update is left out.
    """
    read, ends, skipped = gradient_reader(view), window_ends(view), skipped_steps(view)
    length = accumulation_steps(view)
    clipped = [view.gradients.clipped_of(item.path) for item in view.gradients.variables]
    window: list[Gradients] = []
    for step in range(len(view.trace.steps)):
        if not skipped[step]:
            window.append(read(step))
        if ends[step]:
            if len(window) == length:
                yield Update(step, _mean(window), tuple(item[step] for item in clipped))
            window = []


def _mean(window: list[Gradients]) -> Gradients:
    means: list[Float64 | None] = []
    for parts in zip(*window, strict=True):
        given = [part for part in parts if part is not None]
        total = np.zeros_like(given[0]) if given else None
        for part in given:
            total = accumulated(np.asarray(total), part)
        means.append(None if total is None else mean_gradient(total, len(window)))
    return tuple(means)


class _Scale(NamedTuple):
    """One update, and what its clipped gradients are held against."""

    view: View
    reason: Reason
    step: int

    def over(self, where: str, got: float, limit: float) -> Violation:
        """Return the violation of a limit."""
        message = f"the clipped gradient of {where} in step {self.step} is {got!r}"
        return self.view.violation(
            self.reason,
            f"{message}, the limit is {limit!r}",
            got=got,
            expected=f"at most {limit!r}",
            step=self.step,
            where=where,
            allowed=self.view.tolerance(self.view.slack(limit)),
        )

    def bounded(self, where: str, limit: float, norms: tuple[float, float]) -> Violation | None:
        """Return a norm above its limit, or one that changed although it was below."""
        raw, got = norms
        if not got <= limit + self.view.slack(limit):
            return self.over(where, got, limit)
        return self.equal(f"norm of {where}", got, min(raw, limit))

    def parallel(
        self, path: str, mean: Float64, got: Float64, norms: tuple[float, float]
    ) -> Violation | None:
        """Return where a gradient is not its mean gradient times the ratio of the norms."""
        raw, after = norms
        return self.equal(path, got, mean * (after / raw if raw and raw != after else 1.0))

    def equal(self, where: str, got: ArrayLike, expected: ArrayLike) -> Violation | None:
        """Return where a gradient or its norm is not the expected one."""
        mismatch = self.view.differs(
            got, expected, quantity="clipped gradient", where=where, step=self.step
        )
        return None if mismatch is None else self.view.numeric(self.reason, mismatch)


def _by_value(
    scale: _Scale, limit: float, pairs: list[tuple[str, Float64, Float64]]
) -> Violation | None:
    for path, mean, got in pairs:
        largest = float(np.abs(got).max())
        if not largest <= limit + scale.view.slack(limit):
            return scale.over(path, largest, limit)
        found = scale.equal(path, got, np.sign(mean) * np.minimum(np.abs(mean), limit))
        if found is not None:
            return found
    return None


def _by_norm(
    scale: _Scale, limit: float, pairs: list[tuple[str, Float64, Float64]]
) -> Violation | None:
    for path, mean, got in pairs:
        norms = norm_of(mean), norm_of(got)
        found = scale.bounded(path, limit, norms) or scale.parallel(path, mean, got, norms)
        if found is not None:
            return found
    return None


def _by_global_norm(
    scale: _Scale, limit: float, pairs: list[tuple[str, Float64, Float64]]
) -> Violation | None:
    norms = global_norm([mean for _, mean, _ in pairs]), global_norm([got for _, _, got in pairs])
    found = scale.bounded("all variables", limit, norms)
    for path, mean, got in pairs:
        found = found or scale.parallel(path, mean, got, norms)
    return found
