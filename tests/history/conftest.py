"""Histories in SQLite and in a PostgreSQL server of our own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from harness.history.database import parse_url
from tests.history.postgres import NoServer, postgres_server


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of a server that runs for as long as the session."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: the extra postgresql")
    try:
        with postgres_server() as url:
            yield url
    except NoServer as reason:
        pytest.skip(str(reason))


@pytest.fixture
def postgresql(server: str) -> str:
    """The URL of a database without tables."""
    engine = create_engine(parse_url(server))
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return server


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A history that is not there yet, in either database."""
    if request.param == "postgresql":
        url: str = request.getfixturevalue("postgresql")
        return url
    return str(tmp_path / "history.sqlite")
