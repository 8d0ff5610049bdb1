"""One drawn pipeline, run and judged."""

from pathlib import Path
from typing import Any

import pytest

from harness.errors import HarnessUsageError, SpecError
from harness.invariants.base import NothingToJudge
from harness.runner.judging import Judged, judge_draw
from harness.trace import Stop, StopReason, read_trace
from tests.runner.synthetic import BOUND, MadeUpTraining, install, scenario_of

RELATION = """
[[expect]]
kind = "unchanged_by"
change = { "training.epochs" = 3 }
quantities = ["losses"]
"""


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> MadeUpTraining:
    """Made-up trainings in the place of real ones."""
    return install(monkeypatch)


def judged_of(*parts: str, draw: dict[str, Any] | None = None, **options: Any) -> Judged:
    """Return what comes of one draw of a scenario with these parts."""
    scenario = scenario_of(*parts)
    draw = draw or {}
    return judge_draw(scenario, draw, scenario.pipeline_for(draw), **options)


@pytest.mark.usefixtures("training")
def test_a_run_that_holds_breaks_nothing() -> None:
    """What was judged is named, and nothing is broken or silent."""
    judged = judged_of(BOUND)

    assert judged.broken == {}
    assert judged.judged == {"small"}
    assert judged.silent == {}
    assert judged.stop.reason is StopReason.COMPLETED


@pytest.mark.usefixtures("training")
def test_a_broken_expectation_is_named() -> None:
    """Violations come under the id of what they break."""
    judged = judged_of(BOUND, draw={"seed": 11})

    assert list(judged.broken) == ["small"]
    assert judged.broken["small"][0].got == "11"


def test_what_is_excused_is_not_judged(training: MadeUpTraining) -> None:
    """The run takes place all the same: limits are judged."""
    judged = judged_of(BOUND, draw={"seed": 11}, excused={"small"})

    assert judged.broken == {}
    assert judged.judged == frozenset()
    assert training.seeds == [11]


@pytest.mark.usefixtures("training")
def test_only_one_expectation_can_be_asked_for() -> None:
    """The others, and the limits, are then left out."""
    other = BOUND.replace("small", "smaller")
    judged = judged_of(
        BOUND, other, "[limits]\nwall_seconds = 1.0", draw={"seed": 11}, only="smaller"
    )

    assert list(judged.broken) == ["smaller"]


@pytest.mark.usefixtures("training")
def test_limits_are_judged_like_an_expectation() -> None:
    """A run that costs more than it may is broken under the id `limits`."""
    judged = judged_of(BOUND, "[limits]\nwall_seconds = 1.0\npeak_rss_bytes = 1000")

    assert [violation.message for violation in judged.broken["limits"]] == [
        "peak_rss_bytes is 2000, the limit is 1000",
        "wall_seconds is 2, the limit is 1",
    ]


@pytest.mark.usefixtures("training")
def test_limits_that_are_kept_say_nothing() -> None:
    """At the limit is within it."""
    assert judged_of(BOUND, "[limits]\nwall_seconds = 2.0").broken == {}


def test_a_relation_runs_on_the_drawn_pipeline(training: MadeUpTraining) -> None:
    """The second run has the draw and the change, and only the change differs."""
    judged = judged_of(RELATION, draw={"seed": 5})

    first, second = training.pipelines
    assert judged.broken == {}
    assert first.seed == second.seed == 5
    assert second == first.model_copy(update={"training": second.training})
    assert second.training != first.training


def test_a_relation_that_changes_what_was_drawn_wins_over_the_draw(
    training: MadeUpTraining,
) -> None:
    """The change is put on top, even where the draw is inside the table that it replaces."""
    whole = RELATION.replace(
        '"training.epochs" = 3', 'training = { kind = "train_on_batch", epochs = 2 }'
    )
    judged_of(whole, draw={"training.epochs": 7})

    assert [pipeline.training.kind for pipeline in training.pipelines] == ["fit", "train_on_batch"]
    assert training.pipelines[1].training.model_dump()["epochs"] == 2


def test_a_relation_that_does_not_hold_is_broken(training: MadeUpTraining) -> None:
    """The changed run is what was got, the drawn one what was expected."""
    training.loss = lambda pipeline: float(pipeline.training.model_dump()["epochs"])

    violation = judged_of(RELATION).broken["unchanged_by.training.epochs"][0]

    assert (violation.got, violation.expected) == ("3", "1")


CHANGED = RELATION.replace("unchanged_by", "changed_by")


def test_a_change_without_effect_is_broken(training: MadeUpTraining) -> None:
    """The same losses with three epochs as with one: the argument is ignored."""
    assert list(judged_of(CHANGED).broken) == ["changed_by.training.epochs"]

    training.loss = lambda pipeline: float(pipeline.training.model_dump()["epochs"])
    assert judged_of(CHANGED).broken == {}


@pytest.mark.parametrize(
    ("steps", "exception", "refused"),
    [
        (0, "ValueError: no", True),
        (0, "TypeError: unexpected keyword", True),
        (0, "NotImplementedError: not here", True),
        (0, "AttributeError: no attribute", False),
        (0, None, False),
        (1, "ValueError: no", False),
    ],
)
def test_a_change_may_be_refused_before_the_first_step(
    training: MadeUpTraining, *, steps: int, exception: str | None, refused: bool
) -> None:
    """Not later: what was trained until then would be lost. A crash is no refusal."""
    error = Stop(reason=StopReason.ERROR, evidence="it ended", step=0, epoch=0, exception=exception)
    training.stop = lambda pipeline: (
        error if pipeline.training.model_dump()["epochs"] == 3 else None
    )
    training.steps = lambda pipeline: steps if training.stop(pipeline) else 1

    assert list(judged_of(CHANGED).broken) == ([] if refused else ["changed_by.training.epochs"])


def test_a_relation_whose_second_run_breaks_down_is_broken(training: MadeUpTraining) -> None:
    """Nothing is compared; that one run ended otherwise is the difference."""
    error = Stop(reason=StopReason.ERROR, evidence="ValueError: no", step=0, epoch=0)
    training.stop = lambda pipeline: (
        error if pipeline.training.model_dump()["epochs"] == 3 else None
    )

    violation = judged_of(RELATION).broken["unchanged_by.training.epochs"][0]

    assert violation.message == (
        "The changed run ended otherwise: Training ended with an error. ValueError: no. "
        "Epoch 0, step 0."
    )
    assert (violation.got, violation.expected) == ("error", "completed")


@pytest.mark.usefixtures("training")
def test_a_relation_that_does_not_go_with_a_draw_refuses_the_draw() -> None:
    """The error names the key of the change."""
    scenario = scenario_of(RELATION)
    draw = {
        "data.source": "dataset",
        "training": {"kind": "while_loop", "max_steps": 3},
    }

    with pytest.raises(SpecError) as caught:
        judge_draw(scenario, draw, scenario.pipeline_for(draw))

    assert "training.epochs" in str(caught.value)


def test_nothing_to_judge_is_told_apart_from_a_pass(
    training: MadeUpTraining, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An expectation that could not fail is silent, with its reason, and not judged."""

    def nothing(*_: object, **__: object) -> None:
        message = "no early stopping here"
        raise NothingToJudge(message)

    monkeypatch.setattr("harness.runner.judging.judge", nothing)
    judged = judged_of(BOUND)

    assert judged.judged == frozenset()
    assert judged.silent == {"small": "no early stopping here"}
    assert len(training.pipelines) == 1


@pytest.mark.usefixtures("training")
def test_a_mistake_in_an_expectation_is_not_taken_for_silence() -> None:
    """A figure that the trace does not have is the scenario's mistake."""
    wrong = BOUND.replace("final_loss", "max.val_loss")

    with pytest.raises(HarnessUsageError, match="figure must be one that this trace has"):
        judged_of(wrong)


@pytest.mark.parametrize(
    "reason", [StopReason.ERROR, StopReason.CALLBACK_ERROR, StopReason.OUT_OF_MEMORY]
)
def test_a_run_that_breaks_down_fails(training: MadeUpTraining, reason: StopReason) -> None:
    """What it left is not judged: little of it would pass too easily."""
    training.stop = lambda _: Stop(reason=reason, evidence="it went wrong")

    judged = judged_of(BOUND)

    assert list(judged.broken) == ["ending"]
    assert judged.broken["ending"][0].message.endswith("it went wrong.")
    assert judged.judged == frozenset()


def test_a_break_down_that_is_foretold_is_judged_by_that(training: MadeUpTraining) -> None:
    """With an expectation of kind `stops` it alone says whether the end is right."""
    training.stop = lambda _: Stop(reason=StopReason.ERROR, evidence="as foreseen")
    stops = '[[expect]]\nkind = "stops"\nreason = "{}"'

    assert judged_of(stops.format("error")).broken == {}
    assert list(judged_of(stops.format("completed")).broken) == ["stops.completed"]


def test_a_break_down_where_something_is_excused_is_silent_on_the_rest(
    training: MadeUpTraining,
) -> None:
    """What the trace lacks for the other expectations cannot be asked of it."""
    training.stop = lambda _: Stop(reason=StopReason.ERROR, evidence="the known defect")
    other = BOUND.replace("small", "validated").replace("final_loss", "max.val_loss")

    judged = judged_of(BOUND, other, excused={"small"})

    assert judged.broken == {}
    assert list(judged.silent) == ["validated"]


@pytest.mark.usefixtures("training")
def test_the_trace_can_be_kept(tmp_path: Path) -> None:
    """It is written whole, and reads back as what was judged."""
    judged_of(BOUND, draw={"seed": 4}, keep=tmp_path / "run.npz")

    assert read_trace(tmp_path / "run.npz").figure("final_loss") == 4.0


@pytest.mark.usefixtures("training")
def test_a_trace_that_cannot_be_written_is_said_in_plain_words(tmp_path: Path) -> None:
    """The path and the system's own reason."""
    path = tmp_path / "nowhere" / "run.npz"

    with pytest.raises(HarnessUsageError) as caught:
        judged_of(BOUND, keep=path)

    assert str(caught.value) == (
        f"{path} must be a file that can be written, got No such file or directory."
    )
