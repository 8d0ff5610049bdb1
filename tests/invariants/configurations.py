"""Configurations that both oracles must follow, and the verdict of an oracle on a run."""

from typing import Any

from harness.invariants import Violation, judge
from harness.spec.expectation import MatchesOracleSpec
from harness.spec.pipeline import PipelineSpec
from harness.trace import Trace

SCALED: dict[str, Any] = {"initial_scale": 8.0, "dynamic_growth_steps": 2}

SUMMED: dict[str, Any] = {"kind": "mean_squared_error", "reduction": "sum"}

CONFIGURATIONS: list[dict[str, Any]] = [
    {},
    {"optimizer__nesterov": True, "model__frozen": [0]},
    {"optimizer__gradient_accumulation_steps": 2, "training__epochs": 3},
    {"optimizer__use_ema": True, "optimizer__ema_overwrite_frequency": 2},
    {"optimizer__clipnorm": 0.5, "model__use_bias": False},
    {"optimizer": {"kind": "adam", "amsgrad": True}, "precision__loss_scale": SCALED},
    {"optimizer": {"kind": "adamw", "learning_rate": 0.01, "clipvalue": 0.125}},
    {"optimizer": {"kind": "rmsprop", "centered": True, "momentum": 0.5}},
    {"optimizer": {"kind": "adagrad", "global_clipnorm": 0.25}, "model__kernel_l2": 0.125},
    {"model__kernel_regularizer": {"kind": "l1_l2", "l1": 0.25, "l2": 0.125}},
    {"model__kernel_regularizer": {"kind": "orthogonal", "factor": 0.5}},
    {"training__steps_per_epoch": 2, "training__epochs": 4},
    {"training__initial_epoch": 2, "training__epochs": 4, "loss": SUMMED},
    {"data__source": "generator"},
]


def violation(expectation: MatchesOracleSpec, spec: PipelineSpec, trace: Trace) -> Violation | None:
    """Return the only violation of an oracle expectation, or None."""
    found = judge(expectation, pipeline=spec, trace=trace)
    assert len(found) <= 1
    return found[0] if found else None
