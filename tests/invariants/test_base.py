"""Views, violations and the registry."""

from dataclasses import replace
from typing import Any, get_args

import pytest

from harness.errors import HarnessUsageError
from harness.invariants import NothingToJudge, View, registered
from harness.invariants.base import Reason, Violation, invariant, place, shown
from harness.spec.names import InvariantName
from harness.trace import Mismatch
from tests.invariants.traces import fit_trace, pipeline

SPEC = pipeline()
REASON = Reason(check="mine", why="Because [me]")


def view(**tolerance: Any) -> View:
    """Return the view of a healthy run."""
    return View(pipeline=SPEC, trace=fit_trace(SPEC), **tolerance)


class TestRegistry:
    """Names of invariants."""

    def test_every_name_has_a_check(self) -> None:
        """What scenario files may name is what there is."""
        assert sorted(registered()) == sorted(get_args(InvariantName))

    @pytest.mark.parametrize("name", sorted(get_args(InvariantName)))
    def test_rules_are_sentences(self, name: InvariantName) -> None:
        """Each check states its rule in one sentence and names a source."""
        entry = registered()[name]
        assert entry.name == name
        assert entry.summary.endswith(".")
        assert len(entry.summary) <= 100
        assert entry.source

    @pytest.mark.parametrize("name", ["weights_stay_finite", "weights_fly"])
    def test_taken_or_unknown_names(self, name: Any) -> None:
        """A name is given once, and only one that files may use."""
        with pytest.raises(HarnessUsageError, match="name must be a free one of InvariantName"):
            invariant(name, source="nobody")(lambda *_: ())

    def test_nothing_to_judge(self) -> None:
        """It is an error of whoever asked, not of the run."""
        assert issubclass(NothingToJudge, HarnessUsageError)


class TestView:
    """What a check sees."""

    @pytest.mark.parametrize("part", ["state", "gradients", "examples"])
    def test_missing_parts(self, part: str) -> None:
        """A part that was not recorded is asked for by name."""
        spec = pipeline()
        parts: Any = {part: None}
        incomplete = View(pipeline=spec, trace=replace(fit_trace(spec), **parts))
        with pytest.raises(HarnessUsageError) as error:
            getattr(incomplete, part)
        message = f'{part} must be recorded, got a trace without. Add "{part}" to the recording'
        assert str(error.value) == f"{message} of the run."

    def test_missing_samples(self) -> None:
        """So are the examples of each batch."""
        spec = pipeline()
        trace = fit_trace(spec)
        trace = replace(trace, steps=replace(trace.steps, sample_ids=None))
        with pytest.raises(HarnessUsageError, match="samples must be recorded"):
            _ = View(pipeline=spec, trace=trace).samples

    def test_slack(self) -> None:
        """What is allowed grows with what is expected, and infinity allows nothing."""
        assert view(atol=0.5, rtol=0.25).slack(-2.0) == 1.0
        assert view(rtol=0.25).slack(float("inf")) == 0.0

    @pytest.mark.parametrize(
        ("tolerance", "text"),
        [({}, "exact"), ({"because": "XLA"}, "±0.5 (XLA)"), ({"because": None}, "±0.5")],
    )
    def test_tolerance(self, tolerance: dict[str, Any], text: str) -> None:
        """An allowed difference is shown with its reason."""
        assert view(**tolerance).tolerance(0.5 if tolerance else 0.0) == text

    def test_numeric(self) -> None:
        """A difference in numbers becomes a violation with place and rule."""
        mismatch = view(atol=0.125, because="XLA").differs(
            [1.0, 3.0], [1.0, 2.0], where="w", step=4
        )
        assert mismatch is not None
        sentence = "step 4 (epoch 1): w[1] is 3, expected 2, allowed ±0.125"
        assert mismatch.sentence() == f"{sentence} (1 of 2 values differ)"
        found = view(atol=0.125, because="XLA").numeric(REASON, mismatch)
        assert found == Violation(
            check="mine",
            message=mismatch.sentence(),
            got="3",
            expected="2",
            why="Because [me]",
            step=4,
            epoch=1,
            where="w[1]",
            allowed="±0.125 (XLA)",
            mismatch=mismatch,
        )

    def test_counted(self) -> None:
        """A violation found by counting knows its epoch."""
        found = view().violation(REASON, "seven is not six", got=7, expected=6, step=3)
        assert (found.got, found.expected, found.epoch, found.allowed) == ("7", "6", 1, "exact")
        assert view().violation(REASON, "x", got=7, expected=6).epoch is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.0, "3"), (0.1, "0.1"), (float("nan"), "nan"), (7, "7"), ("a.0", "a.0"), (None, "None")],
)
def test_shown(value: object, text: str) -> None:
    """Values are written as a person would."""
    assert shown(value) == text


@pytest.mark.parametrize(
    ("mismatch", "text"),
    [
        (Mismatch(got=1.0, expected=2.0, where="kernel", index=(0, 2)), "kernel[0, 2]"),
        (Mismatch(got=1.0, expected=2.0, quantity="losses"), "losses"),
    ],
)
def test_place(mismatch: Mismatch, text: str) -> None:
    """A place is a name and an index."""
    assert place(mismatch) == text
