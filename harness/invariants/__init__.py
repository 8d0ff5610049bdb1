"""Checks over traces: what must hold of every run, judged against specification and oracles.

Importing the package registers every invariant. `judge` is the way in for one run,
`judge_relation` for two.
"""

from harness.invariants import (
    accumulation,
    clipping,
    counting,
    data_order,
    distribution,
    evaluation,
    finite,
    hooks,
    loss_scaling,
    memory,
    monitoring,
    outputs,
    schedules,
)
from harness.invariants.base import (
    Invariant,
    NothingToJudge,
    View,
    Violation,
    registered,
)
from harness.invariants.judge import judge, judge_limits, judge_relation, recording_for

__all__ = [
    "Invariant",
    "NothingToJudge",
    "View",
    "Violation",
    "accumulation",
    "clipping",
    "counting",
    "data_order",
    "distribution",
    "evaluation",
    "finite",
    "hooks",
    "judge",
    "judge_limits",
    "judge_relation",
    "loss_scaling",
    "memory",
    "monitoring",
    "outputs",
    "recording_for",
    "registered",
    "schedules",
]
