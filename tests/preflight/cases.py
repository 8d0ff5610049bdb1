"""For each rule a plan that breaks it and nothing else, and plans close by that don't."""

from dataclasses import dataclass
from typing import Any

from harness.preflight import (
    CallbackPlan,
    CompilePlan,
    OptimizerPlan,
    Plan,
    RatePlan,
    SourcePlan,
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One rule.

    Attributes:
        breaks: A plan that breaks this rule only.
        says: The whole line.
        keeps: Plans that don't break it, each different in one respect.
    """

    breaks: Plan
    says: str
    keeps: tuple[Plan, ...]


def arrays(examples: int = 64, batch_size: int = 8, **rest: Any) -> SourcePlan:
    """Arrays in memory."""
    batches = -(-examples // batch_size)
    return SourcePlan(
        kind="arrays", batches=batches, examples=examples, batch_size=batch_size, **rest
    )


def generator(**rest: Any) -> SourcePlan:
    """A Python generator."""
    return SourcePlan(kind="generator", **rest)


ENDLESS = SourcePlan(kind="dataset", infinite=True)
COSINE = RatePlan(kind="schedule", name="CosineDecay", length=80, end=0.0)


def fit(epochs: int = 10, **rest: Any) -> Plan:
    """Eight batches an epoch, with validation; the loss and one metric are logged."""
    plan: dict[str, Any] = {"source": arrays(), "validation": arrays(16)}
    plan["compile"] = CompilePlan(
        policy="float32", directions={"loss": "down", "accuracy": "up", "own": None}
    )
    return Plan(epochs=epochs, **{**plan, **rest})


def schedule(**rest: Any) -> OptimizerPlan:
    """An optimizer with a cosine decay over all eighty steps, or as it is said."""
    values = {name: getattr(COSINE, name) for name in ("kind", "name", "length", "end")}
    return OptimizerPlan(rate=RatePlan(**{**values, **rest}))


def early_stopping(index: int = 0, **arguments: Any) -> CallbackPlan:
    """EarlyStopping with Keras' defaults."""
    defaults = {"monitor": "val_loss", "mode": "auto", "patience": 0}
    return CallbackPlan(
        index=index,
        name="EarlyStopping",
        kinds=("EarlyStopping",),
        arguments={**defaults, **arguments},
        needs_direction=True,
    )


def plateau(**arguments: Any) -> CallbackPlan:
    """ReduceLROnPlateau."""
    given = {"monitor": "val_loss", "mode": "auto", "patience": 2, **arguments}
    kinds = ("ReduceLROnPlateau",)
    return CallbackPlan(index=0, name="ReduceLROnPlateau", kinds=kinds, arguments=given)


def checkpoint(**arguments: Any) -> CallbackPlan:
    """ModelCheckpoint of the whole model."""
    given = {"monitor": "val_loss", "filepath": "best.keras", "save_freq": "epoch", **arguments}
    return CallbackPlan(
        index=0, name="ModelCheckpoint", kinds=("ModelCheckpoint",), arguments=given
    )


OWN = CallbackPlan(index=0, name="Own")


def compiled(**rest: Any) -> Plan:
    """A fit of a model that is compiled like this."""
    return fit(compile=CompilePlan(**rest))
