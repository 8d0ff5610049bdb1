"""What the harness costs those who have it installed and do not use it."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

HEAVY = ("hypothesis", "keras", "numpy", "pydantic", "sklearn", "sqlalchemy", "tensorflow")

_LOADED = f"import json, sys; print(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"


@pytest.mark.parametrize("module", ["harness", "harness.errors", "harness.plugin"])
def test_import_loads_nothing_heavy(
    module: str, fresh_python: Callable[..., CompletedProcess[str]]
) -> None:
    """Importing what every pytest start imports leaves the heavy packages alone."""
    result = fresh_python("-c", f"import {module}; {_LOADED}")

    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == []


def test_session_without_scenarios_loads_nothing_heavy(
    fresh_python: Callable[..., CompletedProcess[str]], tmp_path: Path
) -> None:
    """A whole pytest session with the plugin, and no scenario in it, stays light."""
    (tmp_path / "test_nothing.py").write_text("def test_nothing(): pass\n")
    (tmp_path / "conftest.py").write_text(f"def pytest_unconfigure():\n    {_LOADED}\n")

    result = fresh_python(
        *("-m", "pytest", "-q", "-p", "harness.plugin", "-p", "no:cacheprovider"),
        PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
    )

    assert result.returncode == 0, result.stdout + result.stderr
    assert json.loads(result.stdout.splitlines()[-1]) == []
