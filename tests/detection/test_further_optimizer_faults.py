"""A fault of one per cent in any constant of any further optimizer is found by its replay."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.invariants import NothingToJudge
from harness.spec.expectation import MatchesOracleSpec
from harness.trace import StateTable, VariableInfo
from tests.invariants.configurations import violation
from tests.invariants.faults import judged, with_state
from tests.invariants.traces import apply_pipeline, apply_trace, fit_trace, pipeline

REPLAY = MatchesOracleSpec(reference="replay")

CONSTANTS: dict[str, dict[str, float]] = {
    "adadelta": {"rho": 0.5, "epsilon": 0.125},
    "adamax": {"beta_1": 0.5, "beta_2": 0.9375, "epsilon": 0.125},
    "nadam": {"beta_1": 0.5, "beta_2": 0.75, "epsilon": 0.125},
    "lion": {"beta_2": 0.5},
    "ftrl": {
        "learning_rate_power": -0.5,
        "initial_accumulator_value": 0.5,
        "l1_regularization_strength": 0.25,
        "l2_regularization_strength": 0.25,
        "l2_shrinkage_regularization_strength": 0.25,
        "beta": 0.5,
    },
    "lamb": {"beta_1": 0.5, "beta_2": 0.75, "epsilon": 0.125},
    "adafactor": {
        "beta_2_decay": -0.5,
        "epsilon_1": 0.125,
        "epsilon_2": 4.0,
        "clip_threshold": 0.25,
    },
    "schedule_free_adamw": {"beta_1": 0.5, "beta_2": 0.75, "epsilon": 0.125},
    "muon": {
        "weight_decay": 0.25,
        "adam_weight_decay": 0.25,
        "adam_beta_1": 0.5,
        "adam_beta_2": 0.75,
        "epsilon": 0.125,
        "muon_a": 3.0,
        "muon_b": -3.5,
        "muon_c": 1.5,
        "adam_lr_ratio": 0.5,
        "momentum": 0.5,
        "rms_rate": 0.5,
    },
}

CHOICES: list[tuple[str, dict[str, Any]]] = [
    ("lion", {"beta_1": 0.0625}),
    ("adafactor", {"relative_step": False, "learning_rate": 10.0}),
    ("schedule_free_adamw", {"warmup_steps": 3}),
    ("muon", {"nesterov": False}),
    ("muon", {"ns_steps": 3}),
    ("muon", {"rms_rate": None}),
    ("muon", {"adam_weight_decay": None}),
    ("muon", {"exclude_layers": ["dense_1"]}),
]


@pytest.mark.parametrize("kind", CONSTANTS)
def test_healthy(kind: str) -> None:
    """A run of the documented optimizer passes without any tolerance, resumed or not."""
    for table in ({"kind": kind}, {"kind": kind, **CONSTANTS[kind]}):
        spec = pipeline(optimizer={"learning_rate": 0.125, **table})
        assert violation(REPLAY, spec, fit_trace(spec)) is None


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, table in CONSTANTS.items() for name in table]
)
def test_one_per_cent(kind: str, name: str) -> None:
    """One constant that is one per cent off is found."""
    table: dict[str, Any] = {"kind": kind, "learning_rate": 0.125, **CONSTANTS[kind]}
    wrong = table | {name: table[name] * 1.01}
    trace = fit_trace(pipeline(optimizer=wrong))
    assert violation(REPLAY, pipeline(optimizer=table), trace) is not None


@pytest.mark.parametrize(("kind", "wrong"), CHOICES)
def test_other_choice(kind: str, wrong: dict[str, Any]) -> None:
    """A choice that was not the one asked for is found."""
    table: dict[str, Any] = {"kind": kind, "learning_rate": 0.125}
    if "learning_rate" in wrong:
        table["learning_rate"] = wrong["learning_rate"]
    trace = fit_trace(pipeline(optimizer={**table, **CONSTANTS[kind]}))
    found = violation(REPLAY, pipeline(optimizer={**table, **CONSTANTS[kind], **wrong}), trace)
    assert found is not None


def test_shared_product() -> None:
    """Nadam's product is compared after every step, and missed where there is none."""
    spec = pipeline(optimizer={"kind": "nadam", "learning_rate": 0.125, "beta_1": 0.5})
    trace = fit_trace(spec)
    assert violation(REPLAY, spec, trace) is None
    found = violation(REPLAY, spec, with_state(trace, "u_product", 0.5, step=2))
    assert found is not None
    assert found.message.startswith("step 2 (epoch 0): u_product is 0.5, expected 0.0195")
    assert trace.state is not None
    variables = tuple(
        replace(item, slot="other") if item.path == "u_product" else item
        for item in trace.state.variables
    )
    trace = replace(trace, state=replace(trace.state, variables=_renamed(variables)))
    found = violation(REPLAY, spec, trace)
    assert found is not None
    assert (found.where, found.got) == ("u_product", "absent")


def _renamed(variables: tuple[VariableInfo, ...]) -> tuple[VariableInfo, ...]:
    return tuple(
        replace(item, path="product") if item.path == "u_product" else item for item in variables
    )


def test_schedule_lifts_the_cap() -> None:
    """Adafactor's relative step is about a learning rate that is a number."""
    table = {"kind": "adafactor", "relative_step": True}
    flat = {"kind": "exponential_decay", "initial_learning_rate": 2.0, "decay_steps": 1}
    number = pipeline(optimizer={**table, "learning_rate": 2.0})
    free = pipeline(optimizer={**table, "relative_step": False, "learning_rate": 2.0})
    schedule = pipeline(optimizer={**table, "learning_rate": {**flat, "decay_rate": 1.0}})
    assert violation(REPLAY, schedule, fit_trace(free)) is None
    found = violation(REPLAY, schedule, fit_trace(number))
    assert found is not None
    assert found.step == 0


class TestSeveral:
    """A run of several optimizers is judged part by part."""

    GRADIENTS = ((np.ones(2), np.ones(3)), (-np.ones(2), np.ones(3)))

    def spec(self, **changes: Any) -> Any:
        """Return two steps of Adam and descent."""
        table = {
            "kind": "multi_optimizer",
            "groups": [
                {"match": "variable_1", "optimizer": {"kind": "sgd", "learning_rate": 0.125}},
                {"match": "variable_.", "optimizer": {"kind": "adamax", "learning_rate": 0.125}},
            ],
            **changes,
        }
        return apply_pipeline(2, optimizer=table)

    def merged(self, first: str, second: str) -> Any:
        """Return the run in which each variable was alone with an optimizer."""
        traces = [
            apply_trace(apply_pipeline(2, optimizer={"kind": kind}), self.GRADIENTS)
            for kind in (first, second)
        ]
        states = [trace.state for trace in traces]
        assert states[0] is not None
        assert states[1] is not None
        return replace(traces[0], state=_joined(states[0], states[1]))

    def test_healthy(self) -> None:
        """Exact paths go before patterns; the default may have nothing to do."""
        assert violation(REPLAY, self.spec(), self.merged("adamax", "sgd")) is None

    def test_wrong_owner(self) -> None:
        """A variable that the wrong optimizer updates is found."""
        found = violation(REPLAY, self.spec(), self.merged("sgd", "sgd"))
        assert found is not None
        assert (found.where, found.got) == ("variable_0:momentum", "absent")
        assert violation(REPLAY, self.spec(groups=[]), self.merged("adamax", "sgd")) is not None

    def test_not_judged_as_a_whole(self) -> None:
        """What is about one optimizer has nothing to judge."""
        with pytest.raises(NothingToJudge, match=r"^optimizer must be a single one to be judged"):
            judged("clipping_respects_limit", self.spec(), self.merged("adamax", "sgd"))

    def test_schedules_are_not_recorded(self) -> None:
        """The rates of several schedules are not in the trace."""
        rate = {"kind": "inverse_time_decay", "initial_learning_rate": 1.0, "decay_steps": 1}
        default = {"kind": "sgd", "learning_rate": {**rate, "decay_rate": 0.5}}
        with pytest.raises(NothingToJudge, match="must have a number for a learning_rate"):
            violation(REPLAY, self.spec(groups=[], default=default), self.merged("sgd", "sgd"))


def _joined(first: StateTable, second: StateTable) -> StateTable:
    """Return the first variable and its slots of one table, the rest of the other."""
    chosen = [
        (table, item)
        for table, own in ((first, "variable_0"), (second, "variable_1"))
        for item in table.variables
        if own in (item.path, item.slot_of) or (table is second and item.role == "iterations")
    ]

    def columns(part: str) -> Any:
        return np.concatenate(
            [getattr(table, part)[..., table.column(item.path)] for table, item in chosen], axis=-1
        )

    return StateTable(
        variables=tuple(item for _, item in chosen),
        initial=columns("initial"),
        before=columns("before"),
        after=columns("after"),
        final=columns("final"),
    )
