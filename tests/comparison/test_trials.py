"""A scenario, or a command, as judge of an environment."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.comparison import trials
from harness.comparison.commands import EnvironmentBroken
from harness.comparison.preparing import Prepared
from harness.comparison.trials import CommandTrial, ScenarioTrial, uses_own_code
from harness.comparison.verdicts import Finding, Mark, Probe
from harness.errors import HarnessUsageError

if TYPE_CHECKING:
    from harness.comparison.cache import Cache

FOUND = Finding(item="property", mark=Mark.BAD, reason="r", text="t", draw={"a": 1})


@pytest.fixture
def here(tmp_path: Path) -> Prepared:
    """This interpreter."""
    return Prepared(
        name="here",
        python=Path(sys.executable),
        folder=tmp_path,
        identity="1",
        expected={"keras": "3.9.0"},
    )


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What children were asked; each answers with one finding."""
    requests: list[dict[str, Any]] = []

    def ask(_prepared: Prepared, _module: str, request: Any, _timeout: float | None) -> Any:
        requests.append(request)
        return {"versions": {"keras": "3.9.0"}, "findings": [FOUND.to_json()]}

    monkeypatch.setattr(trials, "ask", ask)
    return requests


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Something like a scenario."""
    path = tmp_path / "s.toml"
    path.write_text("title = 1")
    return path


def test_a_verdict_is_kept(
    here: Prepared, cache: Cache, file: Path, asked: list[dict[str, Any]]
) -> None:
    """Until scenario, environment, question or harness change."""
    trial = ScenarioTrial(file=file, cache=cache)

    assert trial.judge(here, ()) == (FOUND,)
    assert trial.judge(here, ()) == (FOUND,)
    assert len(asked) == 1
    trial.judge(here, (Probe(item="property", draw={"a": 1}),))
    assert len(asked) == 2
    file.write_text("title = 2")
    trial.judge(here, ())
    assert len(asked) == 3
    ScenarioTrial(file=file).judge(here, ())
    assert len(asked) == 4


def test_a_verdict_about_another_version_is_not_kept(
    here: Prepared, cache: Cache, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came first on the path by mistake must not be believed the next time either."""
    answer = {"versions": {"keras": "3.15.1"}, "findings": []}
    monkeypatch.setattr(trials, "ask", lambda *_: answer)
    trial = ScenarioTrial(file=file, cache=cache)
    for _ in range(2):
        with pytest.raises(EnvironmentBroken, match=r"must load keras 3\.9\.0, got 3\.15\.1"):
            trial.judge(here, ())


def test_a_release_that_does_not_import(
    here: Prepared, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says nothing."""
    monkeypatch.setattr(trials, "ask", lambda *_: {"missing": "does not import: no symbol"})
    with pytest.raises(EnvironmentBroken, match="does not import: no symbol"):
        ScenarioTrial(file=file).judge(here, ())


@pytest.mark.parametrize(
    ("command", "mark"), [("true", Mark.GOOD), ("exit 1", Mark.BAD), ("exit 125", Mark.SKIP)]
)
def test_a_command_judges_by_its_status(command: str, mark: Mark, here: Prepared) -> None:
    """As with git bisect run."""
    (found,) = CommandTrial(command=f"echo said; {command}").judge(here, ())
    assert found.mark is mark
    assert found.text == "  said"


def test_a_command_runs_in_the_environment(here: Prepared) -> None:
    """Its ``python`` is that of the environment."""
    code = f"import sys; sys.exit(sys.prefix != {sys.prefix!r})"
    (found,) = CommandTrial(command=f'python -c "{code}"').judge(here, ())
    assert found.mark is Mark.GOOD


def test_a_command_that_goes_wrong(here: Prepared) -> None:
    """A status beyond 127 ends the search, a command that takes too long is passed over."""
    with pytest.raises(HarnessUsageError, match="up to 127, got 200 on here"):
        CommandTrial(command="exit 200").judge(here, ())
    with pytest.raises(EnvironmentBroken, match="it must end in 1 s, got nothing"):
        CommandTrial(command="sleep 60", timeout=1.0).judge(here, ())


def test_own_code_is_noticed(tmp_path: Path) -> None:
    """It may change although the scenario's text stays."""
    file = tmp_path / "s.toml"
    file.write_text('model = { import = "a:b" }')
    assert uses_own_code(file)
    file.write_text('model = { kind = "mlp" }')
    assert not uses_own_code(file)
