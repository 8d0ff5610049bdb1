"""Settings of our own tests; the bundled scenarios bring theirs from the harness's profiles."""

import pytest
from hypothesis import settings

# The same examples on every run: a red run is a change of the code, not of the dice.
settings.register_profile("harness-tests", derandomize=True, deadline=None, database=None)
settings.load_profile("harness-tests")


@pytest.fixture(autouse=True)
def _sessions_are_no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions that a test starts are sessions of their own, also where it is a worker's test."""
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT"):
        monkeypatch.delenv(name, raising=False)
