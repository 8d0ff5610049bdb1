"""Numbered steps from an empty database to the tables of today.

A step is never changed once it was released: the next one is added below. All of them are plain
statements that SQLite and PostgreSQL both understand, and each is made whole or not at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import inspect, select

from harness.errors import HistoryError
from harness.history.tables import SCHEMA

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["MIGRATIONS", "migrate", "version_of"]

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """CREATE TABLE environments (
            fingerprint TEXT NOT NULL PRIMARY KEY,
            detail TEXT NOT NULL
        )""",
        """CREATE TABLE series (
            id TEXT NOT NULL PRIMARY KEY,
            scenario TEXT NOT NULL,
            metric TEXT NOT NULL,
            unit TEXT NOT NULL,
            better TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            definition TEXT NOT NULL
        )""",
        "CREATE INDEX series_by_name ON series (scenario, metric)",
        """CREATE TABLE measurements (
            key TEXT NOT NULL PRIMARY KEY,
            series TEXT NOT NULL,
            position BIGINT NOT NULL,
            time BIGINT NOT NULL,
            value DOUBLE PRECISION,
            revision TEXT NOT NULL,
            committed BIGINT,
            branch TEXT NOT NULL,
            dirty INTEGER NOT NULL,
            samples TEXT
        )""",
        "CREATE INDEX measurements_in_order ON measurements (series, position, time)",
    ),
    (
        """CREATE TABLE acknowledgements (
            id TEXT NOT NULL PRIMARY KEY,
            scenario TEXT NOT NULL,
            metric TEXT NOT NULL,
            revision TEXT NOT NULL,
            position BIGINT NOT NULL,
            reason TEXT NOT NULL,
            author TEXT NOT NULL,
            time BIGINT NOT NULL
        )""",
        """CREATE TABLE quarantines (
            id TEXT NOT NULL PRIMARY KEY,
            scenario TEXT NOT NULL,
            metric TEXT NOT NULL,
            revision TEXT NOT NULL,
            reason TEXT NOT NULL,
            author TEXT NOT NULL,
            time BIGINT NOT NULL,
            until BIGINT
        )""",
    ),
)
"""Statements of version 1, of version 2, and so on."""


def version_of(connection: Connection) -> int:
    """The version of a database's tables; 0 where there are none of ours."""
    if not inspect(connection).has_table(SCHEMA.name):
        return 0
    versions = connection.execute(select(SCHEMA.c.version)).scalars()
    return max(versions, default=0)


def migrate(connection: Connection) -> None:
    """Make the steps that are missing, inside the transaction of `connection`.

    Raises:
        HistoryError: A newer harness made the tables.
    """
    version = version_of(connection)
    if version > len(MIGRATIONS):
        message = (
            f"schema of the history must be at most version {len(MIGRATIONS)}, got {version}. "
            "A newer harness wrote it: upgrade this one, or name another history."
        )
        raise HistoryError(message)
    if version == 0:
        SCHEMA.create(connection, checkfirst=True)
    for number, statements in enumerate(MIGRATIONS[version:], start=version + 1):
        for statement in statements:
            connection.exec_driver_sql(statement)
        connection.execute(SCHEMA.insert().values(version=number))
