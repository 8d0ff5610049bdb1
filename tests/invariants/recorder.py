"""Collects what a simulated run does into the tables of a trace."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.invariants.constants import hyperparameters
from harness.oracles.arrays import Float64
from harness.oracles.loss_scaling import DynamicLossScale
from harness.oracles.update import (
    OptimizerState,
    UpdateRule,
    apply_gradients,
    make_rule,
    shared_slots,
)
from harness.spec.optimizer import ImportedOptimizerSpec, MultiOptimizerSpec
from harness.spec.pipeline import PipelineSpec
from harness.trace import (
    Environment,
    GradientTable,
    ResourceRecord,
    StateTable,
    StepTable,
    Trace,
    VariableInfo,
)


def rule_for(spec: PipelineSpec) -> UpdateRule:
    """Return the oracle's rule for a built-in optimizer."""
    optimizer = spec.optimizer
    assert not isinstance(optimizer, ImportedOptimizerSpec | MultiOptimizerSpec)
    scale = spec.precision.loss_scale
    dynamic = scale and DynamicLossScale(**scale.model_dump(exclude={"excludes"}))
    names = {
        "clipvalue",
        "clipnorm",
        "global_clipnorm",
        "weight_decay",
        "use_ema",
        "ema_momentum",
        "ema_overwrite_frequency",
        "gradient_accumulation_steps",
    }
    return make_rule(
        optimizer.kind,
        loss_scale=dynamic or optimizer.loss_scale_factor,
        **optimizer.model_dump(include=names),
        **hyperparameters(optimizer),
    )


@dataclass(slots=True)
class Recorder:
    """Collects what one run does, row by row."""

    rule: UpdateRule
    weights: tuple[VariableInfo, ...]
    parameters: tuple[Float64, ...]
    state: OptimizerState
    frozen: tuple[tuple[VariableInfo, Float64], ...] = ()
    rows: list[dict[str, Any]] = field(default_factory=list)
    before: list[Float64] = field(default_factory=list)
    after: list[Float64] = field(default_factory=list)
    raw: list[Float64] = field(default_factory=list)
    clipped: list[Float64] = field(default_factory=list)

    def variables(self) -> tuple[VariableInfo, ...]:
        """Return weights, slots, averages, accumulators and counters, in the order of `row`."""
        found = [*self.weights, *(info for info, _ in self.frozen)]
        for info, slots in zip(self.weights, self.state.slots, strict=True):
            found += [_served(info, "slot", name, np.shape(value)) for name, value in slots.items()]
        if self.state.averages:
            found += [_served(info, "average", "average") for info in self.weights]
        if self.state.accumulators:
            found += [_served(info, "accumulator", "accumulator") for info in self.weights]
        for name in shared_slots(self.rule, 0):
            found.append(VariableInfo(path=name, shape=(), dtype="float64", role="slot", slot=name))
        found.append(VariableInfo(path="iteration", shape=(), dtype="int64", role="iterations"))
        if isinstance(self.rule.loss_scale, DynamicLossScale):
            for name, role in (("dynamic_scale", "loss_scale"), ("step_counter", "step_counter")):
                found.append(VariableInfo(path=name, shape=(), dtype="float32", role=role))
        return tuple(found)

    def row(self) -> Float64:
        """Return all variables as they are now, flattened."""
        state = self.state
        values: list[Float64] = [*self.parameters, *(value for _, value in self.frozen)]
        values += [value for slots in state.slots for value in slots.values()]
        values += [*state.averages, *state.accumulators]
        values += [np.array(each) for each in shared_slots(self.rule, state.updates).values()]
        values.append(np.array(float(state.iterations)))
        if isinstance(self.rule.loss_scale, DynamicLossScale):
            values += [np.array(state.scale), np.array(float(state.finite_steps))]
        return np.concatenate([np.ravel(value) for value in values])

    @np.errstate(all="ignore")
    def step(self, gradients: Sequence[Float64 | None], rate: float, **row: Any) -> None:
        """Apply gradients, and write down everything about it."""
        length = self.rule.gradient_accumulation_steps or 1
        scale, count, weights = self.state.scale, self.state.iterations, self.parameters
        self.before.append(self.row())
        result = apply_gradients(
            self.rule, self.state, self.parameters, gradients, learning_rate=rate
        )
        self.parameters, self.state = result.parameters, result.state
        self.after.append(self.row())
        sizes = [np.zeros(info.shape) for info in self.weights]
        absent = [np.full(size.shape, np.nan) for size in sizes]
        self.raw.append(_flat(gradients, absent))
        self.clipped.append(_flat(result.clipped or (None,) * len(sizes), absent))
        self.rows.append(
            {
                "learning_rate": rate,
                "loss_scale": scale,
                "iterations_before": count // length,
                "iterations_after": self.state.iterations // length,
                "gradient_norm": float(np.sqrt(np.nansum(self.raw[-1] ** 2))),
                "updated": int(not np.array_equal(_flat(weights, ()), _flat(self.parameters, ()))),
                **row,
            }
        )

    def trace(self, spec: PipelineSpec, **parts: Any) -> Trace:
        """Return the trace of what was collected."""
        names = dict.fromkeys(key for row in self.rows for key in row if key != "sample_ids")
        columns: dict[str, Any] = {name: [row[name] for row in self.rows] for name in names}
        samples = tuple(tuple(row.get("sample_ids", ())) for row in self.rows)
        columns = columns or {"epoch": [], "batch": []}
        initial = parts.pop("initial")
        width = len(initial)
        state = StateTable(
            variables=self.variables(),
            initial=initial,
            before=np.array(self.before).reshape(-1, width),
            after=np.array(self.after).reshape(-1, width),
            final=parts.pop("final"),
        )
        size = sum(info.size for info in self.weights)
        return Trace(
            pipeline=spec.model_dump_json(),
            steps=StepTable(sample_ids=samples, **columns),
            state=state,
            gradients=GradientTable(
                variables=self.weights,
                raw=np.array(self.raw).reshape(-1, size),
                clipped=np.array(self.clipped).reshape(-1, size),
            ),
            resources=ResourceRecord(
                wall_seconds=1.0, peak_rss_bytes=9, start_rss_bytes=1, peak_method="none"
            ),
            environment=Environment(
                python="3",
                platform="none",
                cpu="none",
                cores=1,
                keras="none",
                backend="numpy",
                backend_version="2",
                numpy="2",
            ),
            **parts,
        )


def _served(
    info: VariableInfo, role: str, name: str, shape: tuple[int, ...] | None = None
) -> VariableInfo:
    path = f"{info.path.replace('/', '_')}_{name}"
    return VariableInfo(
        path=path,
        shape=info.shape if shape is None else shape,
        dtype=info.dtype,
        role=role,
        slot_of=info.path,
        slot=name,
    )


def _flat(values: Sequence[Float64 | None], absent: Sequence[Float64]) -> Float64:
    holes = absent or values
    parts = zip(values, holes, strict=True)
    return np.concatenate(
        [np.ravel(np.asarray(hole if value is None else value)) for value, hole in parts]
    )
