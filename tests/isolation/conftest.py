"""One server for all tests here: starting one takes as long as importing TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.isolation.client import Server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A server that forks."""
    server = Server("fork")
    yield server
    server.close()
