"""A folder with scenarios, and pytest sessions in it that train nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

# Loaded before pytester takes its snapshot of the modules. It forgets what a test has loaded after
# that, and a patch in the next test would then meet modules that nobody imports any more.
import harness.cli.run
import harness.plugin.collect
import harness.runner.explain  # noqa: F401
from tests.history.rows import HERE
from tests.runner.synthetic import BOUND, MadeUpTraining, install

WriteFile = Callable[..., Path]
Session = Callable[..., pytest.RunResult]


def text_of(*parts: str) -> str:
    """Return the text of a scenario with a title and these parts."""
    return "\n".join(('title = "Losses stay small"', *parts))


PASSES = text_of(BOUND)
NAME = "test_measured.py::test_one"
"""The item that the fixture `measured` writes."""
BROKEN = f'title = "x"\n{BOUND}'


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> MadeUpTraining:
    """Made-up trainings in the place of real ones."""
    return install(monkeypatch)


@pytest.fixture
def write(pytester: pytest.Pytester) -> WriteFile:
    """Writes a file below the session's folder, by default a scenario that passes."""

    def write(name: str, text: str = PASSES) -> Path:
        path = pytester.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def session(pytester: pytest.Pytester, training: MadeUpTraining) -> Session:
    """Runs pytest in this process, where trainings are made up."""
    assert training.pipelines == []

    def run(*arguments: str) -> pytest.RunResult:
        return pytester.runpytest_inprocess("-p", "no:benchmark", "-p", "no:randomly", *arguments)

    return run


@pytest.fixture
def one_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """All sessions measure in one environment, and none is told of a history from outside."""
    monkeypatch.setattr("harness.history.surroundings.surroundings", lambda: HERE)
    monkeypatch.delenv("HARNESS_HISTORY", raising=False)


@pytest.fixture
def measured(pytester: pytest.Pytester) -> Callable[[float], None]:
    """Writes a test that measures a value."""

    def write(value: float, *, asserts: str = "True") -> None:
        pytester.makepyfile(
            test_measured=f"""
            from harness.plugin.figures import FIGURES, Figure

            def test_one(request):
                request.node.stash[FIGURES] = (
                    Figure(metric="step_seconds", value={value!r}, unit="s", better="lower"),
                )
                assert {asserts}
            """
        )

    return write
