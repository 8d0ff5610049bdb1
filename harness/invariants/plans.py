"""What preflight finds in the plan of a run is what the scenario says."""

from harness.invariants.base import NothingToJudge, Violation
from harness.preflight import check, plan_of_spec
from harness.spec.expectation import PreflightSpec, expectation_id
from harness.spec.pipeline import PipelineSpec

__all__ = ["check_plan"]


def check_plan(expectation: PreflightSpec, pipeline: PipelineSpec) -> tuple[Violation, ...]:
    """Return what preflight finds and should not, or should find and does not.

    Raises:
        NothingToJudge: Nothing is trained.
    """
    plan = plan_of_spec(pipeline)
    if plan is None:
        message = "preflight must look at a training, got a pipeline that trains nothing."
        raise NothingToJudge(message)
    findings = check(plan)
    found = {item.rule for item in findings}
    wanted: set[str] = set(expectation.finds)
    if found == wanted:
        return ()
    wrong = [str(item) for item in findings if item.rule not in wanted]
    missing = [f"{name} is not broken" for name in sorted(wanted - found)]
    return (
        Violation(
            check=expectation_id(expectation),
            message="; ".join([*wrong, *missing]),
            got=_listed(found),
            expected=_listed(wanted),
            where="plan",
            why="The scenario says what is wrong with its plan",
        ),
    )


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"
