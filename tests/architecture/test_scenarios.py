"""The bundled scenarios, and the example that a reader meets first, are valid."""

import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Run = Callable[..., CompletedProcess[str]]

_COLLECT = (
    *("-m", "pytest", "--collect-only", "-q", "-p", "harness.plugin", "-p", "no:cacheprovider"),
)


def _collected(fresh_python: Run, folder: Path) -> str:
    result = fresh_python(*_COLLECT, str(folder), PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_every_bundled_scenario_loads(fresh_python: Run, repository: Path) -> None:
    """Something is collected from each file, without an error in any."""
    collected = _collected(fresh_python, repository / "scenarios")

    files = sorted((repository / "scenarios").rglob("*.toml"))
    assert files
    assert [path.name for path in files if path.name not in collected] == []


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_documented_scenarios_load(
    document: str, fresh_python: Run, repository: Path, tmp_path: Path
) -> None:
    """Each scenario printed in the documents is a valid one."""
    text = (repository / document).read_text("utf-8")
    examples = [
        block for block in re.findall(r"```toml\n(.*?)```", text, re.DOTALL) if "title" in block
    ]
    folder = tmp_path / "scenarios"
    folder.mkdir()
    for number, example in enumerate(examples):
        (folder / f"example_{number}.toml").write_text(example, "utf-8")

    collected = _collected(fresh_python, folder)

    assert examples
    assert [n for n in range(len(examples)) if f"example_{n}.toml" not in collected] == []
