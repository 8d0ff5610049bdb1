"""Settings of our own tests; the bundled scenarios bring theirs from the harness's profiles."""

import signal
from collections.abc import Iterator

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


@pytest.fixture
def ctrl_c_arrives() -> Iterator[None]:
    """What a test starts takes Ctrl-C, also where a shell in the background had us ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
