"""Each script gets the answer that its text should have given; healthy ones get none."""

import re
from pathlib import Path

import keras
import pytest
from packaging.specifiers import SpecifierSet

from harness.diagnosis.report import as_text
from tests.diagnose.conftest import Observe

SCRIPTS = sorted(Path(__file__).parent.joinpath("scripts").glob("*.py"))


def header(script: Path, name: str) -> list[str]:
    """Return what the comments ``# name: ...`` at the top of a script say."""
    return re.findall(rf"^# {name}: (.*)$", script.read_text(encoding="utf-8"), re.MULTILINE)


def flat(text: str) -> str:
    """Return text without line breaks and indentation."""
    return " ".join(text.split())


@pytest.mark.parametrize("script", SCRIPTS, ids=[script.stem for script in SCRIPTS])
def test_a_script_gets_its_answer(script: Path, observe: Observe) -> None:
    """What is found is what the head of the script says, and nothing else."""
    versions = header(script, "keras")
    if versions and keras.__version__ not in SpecifierSet(versions[0], prereleases=True):
        pytest.skip(f"shows on keras{versions[0]}")
    diagnosis, output = observe(script)

    report = as_text(diagnosis)
    found = {finding.rule for finding in diagnosis.findings}
    expected = set(" ".join(header(script, "finds")).split())
    assert found == expected, f"{report}\n{output[-2000:]}"
    for sentence in header(script, "says"):
        assert flat(sentence) in flat(report), report
    assert diagnosis.unjudged is None or found, report
