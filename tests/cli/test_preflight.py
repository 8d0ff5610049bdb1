"""`harness check --preflight`."""

import pytest

from harness.cli import main
from tests.cli.files import write
from tests.runner.synthetic import BOUND

REFUSED = """
[pipeline.data]
kind = "linear_regression"
examples = 65
batch_size = 8

[pipeline.training]
kind = "fit"
epochs = 2
steps_per_epoch = 9

[[pipeline.callbacks]]
kind = "early_stopping"
monitor = "loss"
patience = 2
"""
METRICS = """
[pipeline.data]
kind = "predictions"

[pipeline.training]
kind = "update_metrics"
"""
TINY = (
    "a/one.toml: warn: fit: batch_size: the last batch of a pass has 1 example of 8 and moves the "
    "weights as far as a full one. Drop it (`drop_remainder=True`), or choose a batch size that "
    "divides the data better. [tiny_last_batch]"
)
PATIENT = (
    "a/one.toml: warn: callbacks[0] EarlyStopping: patience: it waits for 2 evaluations without "
    "improvement and sees 2, so it never stops the training before the end. Lower the patience, or "
    "leave the callback out. [patience_never_runs_out]"
)


@pytest.mark.usefixtures("training")
def test_findings_are_printed_beside_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    """One a line; warnings leave the status alone."""
    write("a/one.toml", BOUND + REFUSED)
    write("a/two.toml", BOUND + METRICS)

    assert main(["check", "--preflight", "a"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        PATIENT,
        TINY,
        "2 scenario files are in order.",
    ]


@pytest.mark.usefixtures("training")
def test_a_refused_plan_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is in order then."""
    write("a/one.toml", BOUND + REFUSED.replace("= 9", "= 5"))

    assert main(["check", "a"]) == 0
    capsys.readouterr()
    assert main(["check", "--preflight", "a"]) == 1
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith("a/one.toml: refuse: fit: steps_per_epoch: 2 x 5 = 10 steps")
    assert "in order" not in "".join(rest)
