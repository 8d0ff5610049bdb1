"""Loss scaling: its automaton, the steps it skips, and the precision of what it protects."""

from harness.invariants.base import NothingToJudge, Reason, View, Violation, invariant
from harness.invariants.readings import (
    finite_steps,
    is_dynamic,
    loss_scale_policy,
    moved,
    skipped_steps,
)
from harness.oracles.loss_scaling import DynamicLossScale, LossScaleState, next_scale
from harness.spec.model import ImportedModelSpec
from harness.trace.recording import Recording
from harness.trace.state import VariableInfo

_PROTECTED = ("trainable", "slot", "average", "accumulator", "iterations", "learning_rate")
"""Roles that a skipped step must leave alone; batch statistics move with the forward pass."""

_WITH_MASTER = frozenset({"slot", "average", "accumulator"})
"""Roles that have the dtype of the weight they serve."""


@invariant(
    "loss_scale_follows_automaton",
    records=Recording.of("gradients", "state"),
    source="Keras, LossScaleOptimizer; Micikevicius et al., ICLR 2018, section 3.2",
)
def loss_scale_follows_automaton(view: View, reason: Reason) -> tuple[Violation, ...]:
    """The loss scale halves on a non-finite gradient and doubles after n finite steps in a row.

    A fixed scale never changes. The scale of a step is the one that its loss was multiplied by.

    Raises:
        NothingToJudge: The loss is not scaled.
    """
    policy = loss_scale_policy(view)
    if policy is None:
        message = (
            "precision must have a loss_scale, or the optimizer a loss_scale_factor, for the "
            "scale to be judged, got neither."
        )
        raise NothingToJudge(message)
    dynamic = isinstance(policy, DynamicLossScale)
    scale = policy.initial_scale if isinstance(policy, DynamicLossScale) else policy
    state = LossScaleState(scale)
    scales, finite = view.trace.steps.column("loss_scale"), finite_steps(view)
    for step, got in enumerate(scales.tolist()):
        if got != state.scale:
            return (_wrong_scale(view, reason, step, got, state.scale),)
        if isinstance(policy, DynamicLossScale):
            growth = policy.dynamic_growth_steps
            state = next_scale(state, bool(finite[step]), growth_steps=growth)
    paths = view.state.paths("loss_scale") if dynamic else ()
    final = float(view.state.final_of(paths[0])) if paths else state.scale
    return () if final == state.scale else (_wrong_scale(view, reason, None, final, state.scale),)


def _wrong_scale(
    view: View, reason: Reason, step: int | None, got: float, expected: float
) -> Violation:
    when = "after training" if step is None else f"of step {step}"
    return view.violation(
        reason,
        f"the loss scale {when} is {got!r}",
        got=got,
        expected=expected,
        step=step,
        where="loss_scale",
    )


@invariant(
    "skipped_step_changes_nothing",
    records=Recording.of("gradients", "state"),
    source="Keras, LossScaleOptimizer; 004, mixed precision",
)
def skipped_step_changes_nothing(view: View, reason: Reason) -> tuple[Violation, ...]:
    """A step with a non-finite gradient leaves weights, slots, averages and counts bit-identical.

    It halves the loss scale and starts the count of finite steps again.

    Raises:
        NothingToJudge: No loss scaling skips steps.
    """
    if not is_dynamic(view):
        message = "precision must scale the loss dynamically for steps to be skipped, got none."
        raise NothingToJudge(message)
    skipped = skipped_steps(view)
    for step in [index for index, value in enumerate(skipped) if value]:
        found = moved(view, reason, step, _PROTECTED) or _not_halved(view, reason, step)
        if found is not None:
            return (found,)
    return ()


def _not_halved(view: View, reason: Reason, step: int) -> Violation | None:
    state = view.state
    for path in state.paths("loss_scale"):
        before = LossScaleState(float(state.before_of(path)[step]))
        expected = next_scale(before, finite=False, growth_steps=1).scale
        got = float(state.after_of(path)[step])
        if got != expected:
            message = (
                f"step {step} was skipped at a scale of {before.scale!r}, which became {got!r}"
            )
            return view.violation(
                reason, message, got=got, expected=expected, step=step, where=path
            )
    for path in state.paths("step_counter"):
        count = int(state.after_of(path)[step])
        if count:
            message = f"step {step} was skipped, and {count} finite steps are still counted"
            return view.violation(reason, message, got=count, expected=0, step=step, where=path)
    return None


@invariant(
    "masters_keep_their_dtype",
    records=Recording.of("state"),
    source="Keras, DTypePolicy.variable_dtype; 004, mixed precision",
)
def masters_keep_their_dtype(view: View, reason: Reason) -> tuple[Violation, ...]:
    """Weights keep the dtype of the policy's variables, and their slots keep that of the weights.

    Under mixed policies that is float32. A model of the user's own may choose its dtypes, but may
    not hold weights in half precision under a mixed policy.
    """
    weights: dict[str, VariableInfo] = {
        variable.path: variable for variable in view.state.variables if variable.role == "trainable"
    }
    for variable in view.state.variables:
        expected = _expected_dtype(view, variable, weights)
        if variable.dtype not in expected:
            message = f"{variable.path} ({variable.role}) is {variable.dtype}"
            return (
                view.violation(
                    reason,
                    message,
                    got=variable.dtype,
                    expected=" or ".join(expected),
                    where=variable.path,
                ),
            )
    return ()


def _expected_dtype(
    view: View, variable: VariableInfo, weights: dict[str, VariableInfo]
) -> tuple[str, ...]:
    """Return the dtypes a variable may have; its own where nothing is said about it."""
    model, policy = view.pipeline.model, view.pipeline.precision.policy
    if variable.role in _WITH_MASTER and variable.slot_of in weights:
        return (weights[variable.slot_of].dtype,)
    if variable.role not in {"trainable", "non_trainable"} or "float" not in variable.dtype:
        return (variable.dtype,)
    if isinstance(model, ImportedModelSpec):
        return ("float32", "float64") if policy.startswith("mixed") else (variable.dtype,)
    return (model.dtype or ("float64" if policy == "float64" else "float32"),)


@invariant(
    "loss_scale_stays_in_range",
    records=Recording.of("state"),
    source="Keras, LossScaleOptimizer; Micikevicius et al., ICLR 2018, section 3.2",
)
def loss_scale_stays_in_range(view: View, reason: Reason) -> tuple[Violation, ...]:
    """The loss scale is a positive, finite number before every step and after training.

    Raises:
        NothingToJudge: The loss is not scaled dynamically.
    """
    paths = view.state.paths("loss_scale")
    if not paths:
        message = "precision must scale the loss dynamically for its range to be judged, got none."
        raise NothingToJudge(message)
    scales: list[float] = view.state.before_of(paths[0]).ravel().tolist()
    final = float(view.state.final_of(paths[0]))
    for step, got in [*enumerate(scales), (None, final)]:
        if not 0.0 < got < float("inf"):
            when = "after training" if step is None else f"before step {step}"
            return (
                view.violation(
                    reason,
                    f"the loss scale {when} is {got!r}",
                    got=got,
                    expected="a positive, finite number",
                    step=step,
                    where=paths[0],
                ),
            )
    return ()
