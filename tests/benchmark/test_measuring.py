"""Real small pipelines are measured: what is timed, how often, and what refuses to be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.benchmark import measuring
from harness.benchmark.measuring import NO_GPU, Measuring, cannot_measure, measure
from harness.benchmark.report import document, lines, markdown, markdown_head, one_line
from harness.benchmark.side import Side
from harness.errors import HarnessUsageError, PipelineError
from harness.pipeline.backend import backend_name
from harness.pipeline.device import Device
from harness.spec.loader import parse_scenario

if TYPE_CHECKING:
    from tests.benchmark.conftest import Tiny

# Keras' own, on other backends than TensorFlow.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't:DeprecationWarning"
)

AGAINST = 'warmup_steps = 1\nsteps = 3\nagainst = { "data.batch_size" = 2 }'


def test_rounds_are_full_batches_however_few_examples_there_are(tiny: Tiny) -> None:
    """Ten examples make rounds of three batches of four: they are used again."""
    found = measure(tiny(), rounds=2)

    side = found.measured
    assert len(side.round_seconds) == 2
    assert (side.steps, side.examples) == (3, 12)
    assert len(side.call_seconds) == 3
    assert min(*side.round_seconds, *side.call_seconds, side.build_seconds) > 0.0
    assert side.peak_rss_bytes >= side.start_rss_bytes > 0
    assert side.peak_device_bytes is None or side.peak_device_bytes > 0
    assert side.flops_per_step == 3 * 2 * 4 * (4 * 3 + 3 * 1)
    assert found.against is None
    assert found.speed_up is None
    assert found.id == "speed/tiny"
    assert found.finite


def test_both_sides_are_measured_in_turns(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each round has one of both, in an order that is not always the same."""
    order: list[int] = []
    real = Side.round

    def noted(side: Any) -> None:
        order.append(side._spec.data.batch_size)
        real(side)

    monkeypatch.setattr(Side, "round", noted)

    found = measure(tiny(AGAINST), rounds=12)

    pairs = [tuple(order[index : index + 2]) for index in range(0, 24, 2)]
    assert {frozenset(pair) for pair in pairs} == {frozenset({2, 4})}
    assert len(set(pairs)) == 2
    assert found.against is not None
    assert found.against.examples == 6
    assert found.speed_up is not None
    assert found.speed_up.pairs == 12
    assert 0.0 < found.speed_up.low <= found.speed_up.ratio <= found.speed_up.high


def test_a_side_that_takes_twice_as_long_is_half_as_fast(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The speed-up is in examples a second: the other side needs twice the time for half of them.

    Seeded: times are made up, since real ones are not asserted.
    """

    def made_up(side: Any, *_: Any, **__: Any) -> float:
        return 1.0 if side._spec.data.batch_size == 4 else 2.0

    monkeypatch.setattr(Side, "_run", made_up)

    found = measure(tiny(AGAINST), rounds=6)

    assert found.speed_up is not None
    assert [found.speed_up.ratio, found.speed_up.low] == pytest.approx([4.0, 4.0])
    assert "4.000 times the examples a second of the other side [4.000, 4.000]" in one_line(found)


def test_the_other_side_can_be_left_out(tiny: Tiny) -> None:
    """A comparison of environments needs one side only."""
    assert measure(tiny(AGAINST), rounds=2, alone=True).against is None


@pytest.mark.parametrize(
    "training",
    [
        '{ kind = "train_on_batch" }',
        pytest.param(
            '{ kind = "gradient_tape", max_steps = 1 }',
            marks=pytest.mark.skipif(backend_name() != "tensorflow", reason="TensorFlow's own"),
        ),
    ],
)
def test_other_loops_are_timed_by_rounds(tiny: Tiny, training: str) -> None:
    """Nobody sees their single steps, so there is no slowest one."""
    found = measure(tiny(pipeline=f"training = {training}\n"), rounds=2)

    assert found.measured.call_seconds == ()
    assert found.measured.p95_step_seconds is None
    assert found.measured.step_seconds > 0.0


def test_epochs_are_those_of_the_pipeline(tiny: Tiny) -> None:
    """With its validation, and with its last batch that is not full."""
    found = measure(tiny('measure = "epoch"', "validation = { split = 0.4 }\n"), rounds=2)

    assert (found.measured.steps, found.measured.examples) == (2, 6)


@pytest.mark.skipif(backend_name() == "torch", reason="PyTorch has one step per execution")
def test_steps_of_an_execution_are_counted_one_by_one(tiny: Tiny) -> None:
    """A call into the graph that has two steps takes the time of two."""
    found = measure(tiny("steps = 4", "compile = { steps_per_execution = 2 }\n"), rounds=2)

    side = found.measured
    assert (side.steps_per_call, len(side.call_seconds)) == (2, 2)
    assert side.p95_step_seconds is not None
    assert side.p95_step_seconds < max(side.call_seconds)


def test_mixed_precision_is_compared_with_its_own_peak(tiny: Tiny) -> None:
    """The dtype of the products says which peak is meant."""
    found = measure(tiny(pipeline='precision = { policy = "mixed_bfloat16" }\n'), rounds=2)

    assert found.measured.compute_dtype == "bfloat16"


def test_a_training_that_stops_early_is_not_measured(tiny: Tiny) -> None:
    """Otherwise the few steps it had would pass for a whole round."""
    stops = '[[pipeline.callbacks]]\nkind = "silent_stopper"\nepoch = 0\nbatch = 1\n'

    with pytest.raises(PipelineError, match=r"a round must have 3 steps, got 2\."):
        measure(tiny(pipeline=stops), rounds=2)


def test_what_keras_cannot_build_is_told(tiny: Tiny) -> None:
    """The error of Keras is in the message, on one line."""
    broken = tiny(pipeline='loss = { kind = "import", import = "math:sqrt", call = false }\n')

    with pytest.raises(PipelineError, match=r"the pipeline can't be trained: \w+: ") as caught:
        measure(broken, rounds=2)

    assert "\n" not in str(caught.value)


def test_a_row_for_a_gpu_needs_one(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which device there is decides, and nothing else."""
    gpu = tiny('device = "gpu"')

    monkeypatch.setattr(measuring, "device", lambda: Device(kind="cpu", name="", count=1))
    assert cannot_measure(gpu) == NO_GPU == "not judged: no GPU"
    assert cannot_measure(tiny()) is None

    monkeypatch.setattr(measuring, "device", lambda: Device(kind="gpu", name="X", count=1))
    assert cannot_measure(gpu) is None


def test_a_scenario_without_the_table_is_refused() -> None:
    """It was not written to be measured."""
    text = 'title = "Nothing to measure"\n[[expect]]\nkind = "invariant"\nname = "counts_agree"\n'
    scenario = parse_scenario(text, path="plain.toml")

    with pytest.raises(HarnessUsageError, match=r"plain.toml must have a \[benchmark\] table"):
        measure(scenario)


def test_nothing_is_told_before_a_round(tiny: Tiny) -> None:
    """A median of no rounds does not exist."""
    with Measuring(tiny()) as subject, pytest.raises(HarnessUsageError, match="must have a round"):
        subject.finish()


def test_the_clock_goes_on_by_the_steps_of_the_scenario(tiny: Tiny) -> None:
    """So that pytest-benchmark times them and not the other side."""
    with Measuring(tiny(AGAINST)) as subject:
        before = subject.now()
        subject.round()
        found = subject.finish()

        assert subject.now() - before == pytest.approx(found.measured.step_samples[0])


def test_the_report_has_everything(tiny: Tiny) -> None:
    """The document is plain JSON, samples included; the text names hardware and versions."""
    found = measure(tiny(AGAINST), rounds=2)

    table = json.loads(json.dumps(document(found), allow_nan=False))
    text = "\n".join(lines(found))

    assert table["format"] == 1
    assert len(table["measured"]["round_seconds"]) == 2
    assert len(table["measured"]["step_samples"]) == 2
    assert table["against"]["changes"] == {"data.batch_size": 2}
    assert table["speed_up"]["high"] is None
    assert table["environment"]["keras"] == found.environment.keras
    assert "against data.batch_size = 2" in text
    assert "too few rounds for an interval: 2" in text
    assert f"keras {found.environment.keras}, {found.environment.backend}" in text
    rows = [*markdown_head().splitlines(), markdown(found)]
    assert [row.count("|") for row in rows] == [8, 8, 8]
