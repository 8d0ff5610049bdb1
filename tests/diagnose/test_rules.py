"""Rules on observations made by hand: what they find, and what they leave alone."""

import json
from dataclasses import replace

import numpy as np
import pytest

from harness.diagnosis.finding import Finding
from harness.diagnosis.judging import diagnose
from harness.diagnosis.report import as_json, as_text
from harness.diagnosis.rules import find
from harness.diagnosis.seen import EpochSeen, FitSeen, ScriptSeen, StepsSeen
from harness.trace.stop import Stop, StopReason

STEPS = 20


def steps(**columns: object) -> StepsSeen:
    """Return twenty quiet steps of two variables, in two epochs, but for these columns."""
    quiet = {
        "epoch": np.repeat([0, 1], STEPS // 2),
        "batch": np.tile(np.arange(STEPS // 2), 2),
        "loss": np.tile([1.0, 1.1, 0.9, 1.0], STEPS // 4),
        "learning_rate": np.full(STEPS, 0.1),
        "loss_scale": np.ones(STEPS),
        "batch_size": np.full(STEPS, 8.0),
        "move": np.append(np.nan, np.ones(STEPS - 1)),
        "gradients": np.ones((STEPS, 2)),
    }
    return StepsSeen(first=0, paths=("dense/kernel", "dense/bias"), **{**quiet, **columns})  # type: ignore[arg-type]


def fit(table: StepsSeen | None = None, **fields: object) -> FitSeen:
    """Return a fit of two epochs that did what it was asked to, but for these fields."""
    done = tuple(
        EpochSeen(
            epoch=epoch, batches=10, steps=10, logs={"loss": 1.0}, drawn=None, rss=0, ended=True
        )
        for epoch in range(2)
    )
    plain = FitSeen(
        number=0,
        place="train.py:9",
        epochs=2,
        begun=2,
        done=done,
        steps=table or steps(),
        updates=STEPS,
        ended=True,
        source={"kind": "arrays", "built": "80 examples of 4 in memory", "batches": 10},
    )
    return replace(plain, **fields)  # type: ignore[arg-type]


def script(*fits: FitSeen, **fields: object) -> ScriptSeen:
    """Return a script with these fits that came to its end."""
    environment = {"keras": "3.15.1", "backend": "tensorflow"}
    plain = ScriptSeen(command=("train.py",), environment=environment, fits=fits)
    return replace(plain, **fields)  # type: ignore[arg-type]


def only(seen: ScriptSeen) -> Finding:
    """Return the one finding there is."""
    (finding,) = find(seen)
    return finding


def test_a_quiet_training_has_no_findings() -> None:
    """Status 0, and it says so."""
    diagnosis = diagnose(script(fit()))

    assert diagnosis.findings == ()
    assert diagnosis.status == 0
    assert as_text(diagnosis).endswith("The script ended with status 0.\nNothing wrong was found.")


def test_a_leap_is_an_overshoot_where_the_last_moves_were_long() -> None:
    """And of unknown cause, a note, where nothing else is out of the ordinary."""
    loss, move = steps().loss.copy(), steps().move.copy()
    loss[-1] = 9.0
    assert only(script(fit(steps(loss=loss)))).figures["cause"] == "unknown"
    assert diagnose(script(fit(steps(loss=loss)))).status == 0
    move[-2] = 7.0
    finding = only(script(fit(steps(loss=loss, move=move))))

    assert (finding.rule, finding.level) == ("final_step_spike", "problem")
    assert finding.figures["cause"] == "overshoot"


def test_the_first_variable_that_is_not_finite_is_named() -> None:
    """With its step, as Keras counts epochs."""
    gradients = np.ones((STEPS, 2))
    gradients[12:, 1] = np.nan
    finding = only(script(fit(steps(gradients=gradients))))

    assert finding.rule == "not_finite"
    assert finding.figures["variable"] == "dense/bias"
    assert "at step 12 (epoch 2, batch 2)" in finding.seen


def test_an_overflow_that_the_loss_scale_dealt_with_is_none() -> None:
    """That is what it is for."""
    gradients, scale = np.ones((STEPS, 2)), np.full(STEPS, 2.0**15)
    gradients[3] = np.inf
    scale[4:] /= 2

    assert find(script(fit(steps(gradients=gradients, loss_scale=scale)))) == ()


def test_a_death_names_size_and_growth() -> None:
    """Of the fit that was running."""
    grown = tuple(
        EpochSeen(epoch=e, batches=1, steps=1, logs={}, drawn=None, rss=e << 20, ended=True)
        for e in range(5)
    )
    death = Stop(reason=StopReason.KILLED, evidence="SIGKILL ended the process, sent from outside")
    dying = fit(done=grown, ended=False, epochs=9)
    finding = only(script(dying, death=death, peak_bytes=3 << 30, status=-9))

    assert finding.rule == "killed"
    assert "It held 3 GiB at its peak, growing by 1 MiB an epoch." in finding.seen


def test_what_was_asked_on_the_last_epoch_cuts_nothing() -> None:
    """A stop that changes nothing is no finding."""
    request = {"callback": "Mine", "hook": "on_epoch_end", "epoch": 1, "batch": 10, "speaks": False}

    assert find(script(fit(request=request))) == ()


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({}, "The script never imported Keras"),
        ({"backend": "jax"}, "Keras ran on jax"),
        ({"backend": "tensorflow"}, "The script never trained"),
    ],
)
def test_what_cannot_be_judged_says_why(environment: dict[str, str], why: str) -> None:
    """With status 2."""
    diagnosis = diagnose(ScriptSeen(command=("train.py",), environment=environment))

    assert diagnosis.status == 2
    assert diagnosis.unjudged is not None
    assert diagnosis.unjudged.startswith(why)


def test_the_document_is_plain_json() -> None:
    """NaN is text in it: JSON has none."""
    loss = steps().loss.copy()
    loss[5:] = np.nan
    spoilt = fit(steps(loss=loss, gradients=np.full((STEPS, 2), np.nan)))
    document = json.loads(as_json(diagnose(script(spoilt))), parse_constant=pytest.fail)

    assert document["format"] == 1
    assert document["status"] == 1
    assert document["runs"][0]["stop"]["reason"] == "completed"
    assert document["findings"][0]["rule"] == "not_finite"
