"""What a person reads when a scenario is red, whole."""

import json
import math
import shlex
import textwrap
import tomllib
from dataclasses import replace
from typing import Any

import pytest

from harness.invariants.base import Violation
from harness.runner.explain import explain, one_line
from harness.runner.listing import pipeline_listing
from harness.runner.profiles import Budget
from harness.runner.properties import judge_issue, judge_scenario
from harness.runner.replay_command import replay_command
from harness.runner.verdict import Failure, Outcome, Verdict
from harness.spec.loaded import Scenario
from harness.trace import Stop, StopReason
from tests.runner.synthetic import BOUND, SEED, VERSIONS, install, scenario_of

STOP = Stop(reason=StopReason.MAX_STEPS, evidence="10 of 10 steps", epoch=4, step=9)

ISSUE = """
[[known_issue]]
id = "loses"
versions = "keras>=3.10,<3.99"
reason = "It loses too much."
expectation = "small"
example = { seed = 60 }
"""


def text_of(block: str) -> str:
    """Return an expected text without the indentation of the test."""
    return textwrap.dedent(block).strip("\n")


def failed(*violations: Violation, scenario: Scenario, **changes: Any) -> Verdict:
    """Return the verdict on a failure with these violations."""
    failure = Failure(
        expectation=violations[0].check,
        violations=violations,
        draw={"seed": 11} if scenario.spec.vary else {},
        pipeline=scenario.pipeline_for({"seed": 11}),
        stop=STOP,
    )
    verdict = Verdict(scenario=scenario, outcome=Outcome.FAILED, failure=failure, versions=VERSIONS)
    return replace(verdict, **changes)


def test_a_failure_of_a_drawn_pipeline() -> None:
    """First what is wrong, then the smallest pipeline, then how to see it again."""
    with pytest.MonkeyPatch.context() as patch:
        install(patch)
        verdict = judge_scenario(
            scenario_of(SEED, BOUND, BOUND.replace("small", "other")),
            Budget(examples=60, seed=1),
        )

    assert explain(replace(verdict, examples=9)) == text_of(
        """
        Losses stay small
          scenarios/made_up/example.toml: small

          final_loss is 11: above, it must be at most 10

          where     final_loss
          got       11
          expected  at most 10
          allowed   exact
          why       a made-up training loses as much as its seed says

          The same run also breaks other.

          Why training ended: Training ran all the epochs it was asked for. 1 of 1 epochs.

          The smallest pipeline that shows it:

            [pipeline]
            data = { kind = "linear_regression" }
            model = { kind = "mlp" }
            loss = { kind = "mean_squared_error" }
            optimizer = { kind = "sgd" }
            training = { kind = "fit" }
            seed = 11

          To run it again:

            harness run scenarios/made_up/example.toml --draw '{"seed": 11}'

          keras 3.15.1, tensorflow 2.21.0; 9 examples were run, drawn from seed 1
        """
    )


def test_a_failure_at_a_step_with_more_behind_it() -> None:
    """Step and epoch, the tolerance with its reason, the next difference; long rows are wrapped."""
    first = Violation(
        check="weights",
        message="weights differ at step 9",
        got="0.5",
        expected="0.25",
        allowed="±1e-06 (float32: 1.5e-6 measured over 50 replayed steps)",
        why="The optimizer follows its documented update rule step by step, to the last bit "
        "[keras.optimizers documentation]",
        step=9,
        epoch=4,
        where="dense/kernel[0, 2]",
    )
    second = replace(first, message="weights differ at step 10")

    assert explain(failed(first, second, scenario=scenario_of(BOUND))) == text_of(
        """
        Losses stay small
          scenarios/made_up/example.toml: weights

          weights differ at step 9

          step      9, in epoch 4
          where     dense/kernel[0, 2]
          got       0.5
          expected  0.25
          allowed   ±1e-06 (float32: 1.5e-6 measured over 50 replayed steps)
          why       The optimizer follows its documented update rule step by step, to the last bit
                    [keras.optimizers documentation]

          1 more difference comes with it, the next: weights differ at step 10

          Why training ended: Training reached its limit on steps. 10 of 10 steps. Epoch 4, step 9.

          The pipeline:

            [pipeline]
            data = { kind = "linear_regression" }
            model = { kind = "mlp" }
            loss = { kind = "mean_squared_error" }
            optimizer = { kind = "sgd" }
            training = { kind = "fit" }
            seed = 11

          To run it again:

            harness run scenarios/made_up/example.toml

          keras 3.15.1, tensorflow 2.21.0
        """
    )


def test_an_epoch_without_a_step_and_several_differences() -> None:
    """A rule about epochs names the epoch alone."""
    violation = Violation(
        check="c", message="m", got="1", expected="2", why="w", epoch=3, where="logs.loss"
    )

    text = explain(failed(violation, violation, violation, scenario=scenario_of(BOUND)))

    assert "\n  epoch     3\n  where     logs.loss\n" in text
    assert "\n  2 more differences come with it, the next: m\n" in text


def test_a_failure_of_luck_says_so() -> None:
    """Nobody should look for a bug in the pipeline first."""
    violation = Violation(check="c", message="m", got="1", expected="2", why="w")

    text = explain(failed(violation, scenario=scenario_of(SEED, BOUND), unstable=True))

    assert (
        "Not reproducible: this failed in a process that had run other draws, and passed when it "
        "was repeated from a fresh pipeline. Either chance decides, or what an earlier run left "
        "behind."
    ) in " ".join(text.split())


@pytest.mark.parametrize(
    ("outcome", "reason", "expected"),
    [
        (
            Outcome.NOT_JUDGED,
            "nothing was drawn",
            "not judged\n\n  This could not be judged: nothing was drawn",
        ),
        (
            Outcome.KNOWN_ISSUE,
            "known issues excuse all of it.",
            "known issue\n\n  This is known: known issues excuse all of it.",
        ),
    ],
)
def test_a_verdict_without_a_failure(outcome: Outcome, reason: str, expected: str) -> None:
    """The reason is the text."""
    verdict = Verdict(scenario=scenario_of(BOUND), outcome=outcome, reason=reason)

    assert explain(verdict) == (f"Losses stay small\n  scenarios/made_up/example.toml: {expected}")


def test_a_fixed_issue() -> None:
    """What to do about it is in the text."""
    scenario = scenario_of(BOUND, ISSUE)
    with pytest.MonkeyPatch.context() as patch:
        install(patch).loss = lambda _: 1.0
        verdict = judge_issue(scenario, scenario.spec.known_issue[0])

    assert explain(verdict) == text_of(
        """
        Losses stay small
          scenarios/made_up/example.toml: known issue loses

          Known issue loses no longer shows on keras 3.15.1. Remove it, or narrow its versions
          'keras>=3.10,<3.99' so that they end before.

          keras 3.15.1, tensorflow 2.21.0
        """
    )


def test_one_line_a_verdict() -> None:
    """For lists: outcome, name, issue, and the one thing worth knowing."""
    scenario = scenario_of(BOUND)
    violation = Violation(check="small", message="m", got="1", expected="2", why="w")
    lines = [
        one_line(Verdict(scenario=scenario, outcome=Outcome.PASSED, examples=1)),
        one_line(Verdict(scenario=scenario, outcome=Outcome.PASSED, examples=10)),
        one_line(failed(violation, scenario=scenario)),
        one_line(
            Verdict(scenario=scenario, outcome=Outcome.KNOWN_ISSUE, issue="loses", reason="Known.")
        ),
        one_line(Verdict(scenario=scenario_of(BOUND, path="x.toml"), outcome=Outcome.PASSED)),
    ]

    assert lines == [
        "passed  made_up/example",
        "passed  made_up/example: 10 examples",
        "failed  made_up/example: small",
        "known issue  made_up/example [loses]: Known.",
        "passed  x",
    ]


@pytest.mark.parametrize(
    "draw",
    [
        {"seed": 3},
        {"callbacks.0.script": [1.5, math.nan, -math.inf, -0.0, 5e-324]},
        {"optimizer": {"kind": "adam", "name": 'it\'s "quoted" $HOME `x` \\ \n ü'}},
        {f"callbacks.{index}.script": [0.1 + index, math.nan] * 4 for index in range(5)},
        {"a": True, "b": [], "c": {}},
    ],
)
def test_a_replay_command_survives_the_shell(draw: dict[str, Any]) -> None:
    """What the shell hands over is the draw, bit for bit, NaN and signed zeros too."""
    scenario = scenario_of(BOUND, path="my scenarios/it's/example.toml")

    words = shlex.split(replay_command(scenario, draw))

    assert words[:4] == ["harness", "run", "my scenarios/it's/example.toml", "--draw"]
    assert len(words) == 5
    assert repr(json.loads(words[4])) == repr(draw)


def test_a_replay_command_without_a_draw() -> None:
    """The file is enough."""
    assert replay_command(scenario_of(BOUND), {}) == "harness run scenarios/made_up/example.toml"


def test_a_listing_reads_back_as_the_same_pipeline() -> None:
    """Long values are broken over lines and stay valid TOML."""
    scenario = scenario_of(BOUND)
    pipeline = scenario.pipeline_for(
        {
            "data": {"kind": "linear_regression", "examples": 20, "source": "dataset"},
            "model": {"kind": "variables"},
            "training": {
                "kind": "apply_gradients",
                "gradients": [[0.125, math.nan, -math.inf, 1e-300, -0.0]] * 12,
            },
        }
    )

    listing = pipeline_listing(pipeline, width=60)
    tables = tomllib.loads(listing)["pipeline"]

    assert max(map(len, listing.splitlines())) <= 60
    assert repr(scenario.pipeline_for(tables)) == repr(pipeline)
