"""Checks over traces: what must hold of every run, judged against specification and oracles.

Importing the package registers every invariant. `judge` is the way in for one run,
`judge_relation` for two.
"""

from harness.invariants import (
    accumulation,
    checkpoints,
    clipping,
    constraints,
    counting,
    data_order,
    distribution,
    evaluation,
    finite,
    frozen,
    hooks,
    leftovers,
    logbooks,
    loss_scaling,
    memory,
    metrics,
    monitoring,
    normalization,
    outputs,
    schedules,
    scores,
    source_hooks,
)
from harness.invariants.base import (
    Invariant,
    NothingToJudge,
    View,
    Violation,
    registered,
)
from harness.invariants.judge import judge, judge_limits, recording_for
from harness.invariants.relations import judge_relation

__all__ = [
    "Invariant",
    "NothingToJudge",
    "View",
    "Violation",
    "accumulation",
    "checkpoints",
    "clipping",
    "constraints",
    "counting",
    "data_order",
    "distribution",
    "evaluation",
    "finite",
    "frozen",
    "hooks",
    "judge",
    "judge_limits",
    "judge_relation",
    "leftovers",
    "logbooks",
    "loss_scaling",
    "memory",
    "metrics",
    "monitoring",
    "normalization",
    "outputs",
    "recording_for",
    "registered",
    "schedules",
    "scores",
    "source_hooks",
]
