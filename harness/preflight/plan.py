"""A training as it is planned: frozen data, whoever planned it.

None always means that nobody can know it before the training; no rule may guess then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "CallbackPlan",
    "CompilePlan",
    "Direction",
    "LabelPlan",
    "OptimizerPlan",
    "Plan",
    "RatePlan",
    "SourceKind",
    "SourcePlan",
]

SourceKind = Literal["arrays", "dataset", "generator", "py_dataset", "function", "other"]

Direction = Literal["up", "down"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPlan:
    """The integer labels of the training data, where they can be looked at.

    Attributes:
        classes: Which ones occur in what is trained on, ascending.
        ascending: The classes stand one behind the other, in order.
        held_out_only: Classes that `validation_split` takes away altogether.
    """

    classes: tuple[int, ...]
    ascending: bool = False
    held_out_only: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePlan:
    """Where batches come from.

    Attributes:
        kind: ``arrays`` in memory, a ``tf.data`` ``dataset``, a Python ``generator``, a
            ``py_dataset``, a ``function`` that nobody called, or something ``other``.
        batches: How many one pass has.
        infinite: A pass never ends.
        examples: How many one pass has.
        batch_size: Examples of a full batch.
        batched: Whether the elements are batches and not single examples.
        shuffled: Whether the order changes at all.
        labels: Integer labels.
    """

    kind: SourceKind
    batches: int | None = None
    infinite: bool = False
    examples: int | None = None
    batch_size: int | None = None
    batched: bool | None = None
    shuffled: bool | None = None
    labels: LabelPlan | None = None

    @property
    def one_shot(self) -> bool:
        """Whether it can be read only once."""
        return self.kind == "generator"

    @property
    def last_batch(self) -> int | None:
        """Examples in the last batch of a pass."""
        if self.batches is None or self.examples is None or self.batch_size is None:
            return None
        return self.examples - (self.batches - 1) * self.batch_size


@dataclass(frozen=True, slots=True, kw_only=True)
class RatePlan:
    """The learning rate.

    Attributes:
        kind: A ``number``, a ``schedule`` that Keras evaluates, or a ``callable``.
        name: Class of the schedule.
        length: Steps of the optimizer's count after which it changes no more.
        end: What it is from then on.
        warmup: Steps it rises at the beginning.
        arguments: How many arguments a callable asks for.
    """

    kind: Literal["number", "schedule", "callable"] = "number"
    name: str = ""
    length: int | None = None
    end: float | None = None
    warmup: int = 0
    arguments: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerPlan:
    """The optimizer, without what wraps it.

    Attributes:
        rate: Its learning rate.
        clippings: Names of the clipping arguments that are set.
        accumulation: Micro-batches per update.
        loss_scale: ``dynamic`` in a LossScaleOptimizer, ``static`` by its own factor.
        steps_done: What its count stands at; schedules begin there.
    """

    rate: RatePlan = RatePlan()
    clippings: tuple[str, ...] = ()
    accumulation: int = 1
    loss_scale: Literal["dynamic", "static"] | None = None
    steps_done: int | None = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CompilePlan:
    """How the model is compiled.

    Attributes:
        policy: Name of the dtype policy.
        jit_compile: XLA for certain.
        run_eagerly: No graph.
        steps_per_execution: Batches per call into the graph.
        not_jittable: Layers that say XLA can't compile them.
        batch_norm: There is a layer that normalises over the batch.
        directions: Every key of the logs of an epoch, without ``val_``, and whether more is
            better (``up``) or less (``down``); None where nobody has said which.
    """

    policy: str | None = None
    jit_compile: bool = False
    run_eagerly: bool = False
    steps_per_execution: int = 1
    not_jittable: tuple[str, ...] = ()
    batch_norm: bool = False
    directions: Mapping[str, Direction | None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackPlan:
    """One callback.

    Attributes:
        index: Its place among the callbacks, as the caller counts them.
        name: Its class.
        kinds: The Keras callbacks that it is, itself or by descent; empty for one of the user's
            own, which may do anything.
        arguments: What it was given, by Keras' names; only what is known.
        needs_direction: It fails where Keras can't tell whether more of its monitor is better.
    """

    index: int
    name: str
    kinds: tuple[str, ...] = ()
    arguments: Mapping[str, Any] = field(default_factory=dict)
    needs_direction: bool = False

    def where(self, argument: str = "") -> str:
        """The callback, or one argument of it, for a message."""
        tail = f": {argument}" if argument else ""
        return f"callbacks[{self.index}] {self.name}{tail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a ``fit``, or a loop like it, is about to do.

    Attributes:
        epochs: Index of the epoch that is not run any more.
        initial_epoch: Index of the first epoch.
        steps_per_epoch: As asked for.
        source: The training data.
        validation: The validation data.
        validation_steps: As asked for.
        validation_freq: Every so many epochs, or after the epochs of these counts.
        class_weight: The classes that have a weight.
        optimizer: The optimizer.
        compile: How the model is compiled.
        callbacks: The callbacks in their order.
        other_logs: Keys of the logs that come from elsewhere, ``val_`` included.
    """

    epochs: int = 1
    initial_epoch: int = 0
    steps_per_epoch: int | None = None
    source: SourcePlan = SourcePlan(kind="other")
    validation: SourcePlan | None = None
    validation_steps: int | None = None
    validation_freq: int | tuple[int, ...] = 1
    class_weight: tuple[int, ...] | None = None
    optimizer: OptimizerPlan = OptimizerPlan()
    compile: CompilePlan = CompilePlan()
    callbacks: tuple[CallbackPlan, ...] = ()
    other_logs: tuple[str, ...] = ()
