"""How many steps of which size each epoch has, from what is known about the data source.

Rules, in the words of the `fit` documentation and its exhaustion warning:

- without `steps_per_epoch` an epoch runs until the source is exhausted, and the next epoch starts
  a new pass;
- with it, batches are drawn on and on across epochs, `steps_per_epoch` at a time;
- a source that runs dry inside an epoch interrupts it with a warning. A restartable source starts
  a new pass with the next epoch; a one-shot source (a generator, an iterator) has nothing left,
  and every later epoch has no step;
- a pass that ends exactly with an epoch is no exhaustion for a restartable source;
- `steps_per_execution` batches are handed to the device at a time, truncated to the epoch, so it
  never changes the number of steps.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.oracles.arrays import ArgumentError, require_positive


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochPlan:
    """What one epoch should consist of.

    Attributes:
        epoch: Index of the epoch, from 0.
        batch_sizes: Examples per step, in order.
        executions: Calls of the compiled train function, and so of the batch-end hooks.
        exhausted: Whether the source ran dry before the epoch was complete.
    """

    epoch: int
    batch_sizes: tuple[int, ...]
    executions: int
    exhausted: bool

    @property
    def steps(self) -> int:
        """Number of train steps."""
        return len(self.batch_sizes)

    @property
    def examples(self) -> int:
        """Number of examples trained on, repeats counted."""
        return sum(self.batch_sizes)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """What a whole `fit` should consist of.

    Attributes:
        epochs: One plan per epoch, epochs without a step included.
        planned_steps: Steps asked for: `steps_per_epoch` times the epochs, or one pass per epoch.
    """

    epochs: tuple[EpochPlan, ...]
    planned_steps: int

    @property
    def steps(self) -> int:
        """Number of train steps of the run."""
        return sum(epoch.steps for epoch in self.epochs)

    @property
    def exhausted_epoch(self) -> int | None:
        """First epoch in which the data ran out, or None."""
        return next((plan.epoch for plan in self.epochs if plan.exhausted), None)


def batch_sizes(
    examples: int, batch_size: int, *, drop_remainder: bool = False, repeat: int = 1
) -> tuple[int, ...]:
    """Return the sizes of the batches of one pass over `examples`.

    Every batch is full but the last, which holds what is left or is dropped. `repeat` copies the
    batched pass, as ``dataset.batch(n).repeat(k)`` does.

    Raises:
        ArgumentError: `batch_size` is not positive.
    """
    require_positive(batch_size=batch_size)
    full, rest = divmod(examples, batch_size)
    tail = (rest,) if rest and not drop_remainder else ()
    return ((batch_size,) * full + tail) * repeat


def plan_run(
    pass_sizes: Sequence[int],
    *,
    epochs: int = 1,
    initial_epoch: int = 0,
    steps_per_epoch: int | None = None,
    steps_per_execution: int = 1,
    one_shot: bool = False,
    infinite: bool = False,
) -> RunPlan:
    """Return the steps a `fit` should run.

    Args:
        pass_sizes: Sizes of the batches the source yields in one pass; see `batch_sizes`.
        epochs: Index one past the last epoch.
        initial_epoch: Index of the first epoch.
        steps_per_epoch: Steps after which an epoch is complete, or None for a whole pass.
        steps_per_execution: Batches per call of the compiled function.
        one_shot: Whether the source can be iterated only once.
        infinite: Whether the pass repeats without end.

    Raises:
        ArgumentError: The run would never end, or a number is not positive.
    """
    require_positive(steps_per_execution=steps_per_execution)
    if steps_per_epoch is not None:
        require_positive(steps_per_epoch=steps_per_epoch)
    elif infinite:
        msg = (
            "steps_per_epoch must be given for an infinite source, got None. "
            "The first epoch would never end."
        )
        raise ArgumentError(msg)
    size = len(pass_sizes) if steps_per_epoch is None else steps_per_epoch
    source = _Source(tuple(pass_sizes), one_shot=one_shot, infinite=infinite)
    plans: list[EpochPlan] = []
    for epoch in range(initial_epoch, epochs):
        drawn = source.draw(size, first=epoch == initial_epoch)
        plans.append(
            EpochPlan(
                epoch=epoch,
                batch_sizes=drawn,
                executions=-(-len(drawn) // steps_per_execution),
                exhausted=len(drawn) < size,
            )
        )
    return RunPlan(epochs=tuple(plans), planned_steps=size * max(epochs - initial_epoch, 0))


class _Source:
    """Batches of one `fit`, drawn epoch by epoch; knows where a new pass starts."""

    def __init__(self, sizes: tuple[int, ...], *, one_shot: bool, infinite: bool) -> None:
        self._sizes = sizes
        self._one_shot = one_shot
        self._infinite = infinite
        self._left = 0
        self._batches: Iterator[int] = iter(())

    def draw(self, count: int, *, first: bool) -> tuple[int, ...]:
        """Return the sizes of up to `count` batches for the next epoch."""
        if first or (self._left == 0 and not self._one_shot and not self._infinite):
            self._batches = itertools.cycle(self._sizes) if self._infinite else iter(self._sizes)
            self._left = len(self._sizes)
        drawn = tuple(itertools.islice(self._batches, count))
        self._left -= len(drawn)
        return drawn
