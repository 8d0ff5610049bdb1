"""How a history is opened, and what may be expected of the database under it.

SQLite is told to write ahead into a log and to wait for other writers, so that many processes may
share one file; a process that is killed loses nothing but the transaction it was in.
"""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import URL, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from harness.errors import HistoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection, Engine

__all__ = ["SQLITE", "Database", "parse_url"]

SQLITE: Final = "sqlite"
_POSTGRESQL: Final = "postgresql"
_WRITES: Final = "harness_writes"
_BUSY_SECONDS: Final = 30.0
"""For how long SQLite itself waits for a lock."""

_PATIENCE_SECONDS: Final = 120.0
"""For how long a transaction is tried again; some locks SQLite does not wait for."""

_CONNECT_SECONDS: Final = 10
_MIGRATION_LOCK: Final = 0x4841524E
"""Any number that nobody else uses for an advisory lock of that database."""

_AGAIN: Final = ("database is locked", "database table is locked", "database is busy")
_AGAIN_STATES: Final = frozenset({"40001", "40P01", "55P03"})
"""Serialization failure, deadlock, lock not available, as PostgreSQL numbers them."""

_REMEDIES: Final = (
    ("disk is full", "Free some space, then record or import again."),
    ("no space left", "Free some space, then record or import again."),
    ("disk i/o error", "Free some space and check the disk, then record or import again."),
    ("not a database", "Name another file, or move this one away."),
    ("malformed", 'Try "sqlite3 FILE .recover", or import your JSON lines into a new history.'),
    ("unable to open", "Check that the folder exists and may be written."),
    ("readonly", "Check that file and folder may be written."),
    ("read-only", "Check that file and folder may be written."),
    ("locked", "Another process holds it: wait for that one."),
    ("connect", "Check host, port, name and password, and that the server runs."),
)

T = TypeVar("T")


def parse_url(where: str) -> URL:
    """The URL of a history; a plain path is an SQLite file.

    Raises:
        HistoryError: It is neither, or of a database that is not supported.
    """
    if "://" not in where:
        return URL.create(SQLITE, database=str(Path(where).expanduser()))
    try:
        url = make_url(where)
    except ArgumentError as error:
        message = f"history must be a path or a URL of a database, got {where!r}."
        raise HistoryError(message) from error
    if url.drivername in {"postgres", _POSTGRESQL}:
        url = url.set(drivername=f"{_POSTGRESQL}+psycopg")
    if url.get_backend_name() not in {SQLITE, _POSTGRESQL}:
        message = (
            f"history must be in SQLite or PostgreSQL, got {url.drivername!r}. "
            "Write sqlite:///path/to/file or postgresql://user@host/database."
        )
        raise HistoryError(message)
    return url


class Database:
    """An engine, and the two kinds of transaction that the history needs of it."""

    def __init__(self, url: URL, *, create: bool) -> None:
        """Prepare the engine; nothing is opened before the first transaction.

        Args:
            url: What `parse_url` returned.
            create: Make an SQLite file that is not there.

        Raises:
            HistoryError: The file is not there, or the driver is not installed.
        """
        self.shown: str = url.render_as_string(hide_password=True)
        self.file: Path | None = None
        if url.get_backend_name() == SQLITE and url.database not in {None, "", ":memory:"}:
            self.file = Path(str(url.database))
            self.shown = str(self.file)
            self._prepare_file(create=create)
        self.engine: Engine = self._engine(url)
        if self.dialect == SQLITE:
            event.listen(self.engine, "connect", _set_up_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)

    @property
    def dialect(self) -> str:
        """Which database it is: ``sqlite`` or ``postgresql``."""
        return self.engine.dialect.name

    def read(self, work: Callable[[Connection], T]) -> T:
        """The result of some work that sees one state of the history and changes nothing.

        Raises:
            HistoryError: The database refuses.
        """
        return self._transaction(work, writes=False)

    def write(self, work: Callable[[Connection], T]) -> T:
        """The result of some work that is written whole or not at all, one writer at a time.

        The work may be called several times, each time as if it were the first.

        Raises:
            HistoryError: The database refuses.
        """
        return self._transaction(work, writes=True)

    def lock_for_migration(self, connection: Connection) -> None:
        """Let no other process migrate before the transaction ends; SQLite has that already."""
        if self.dialect == _POSTGRESQL:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()

    def _prepare_file(self, *, create: bool) -> None:
        assert_file = self.file or Path()
        if assert_file.is_file():
            return
        if not create:
            message = f"history must exist, got {self.shown}, which is no file. Check the path."
            raise HistoryError(message)
        try:
            assert_file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._refused(error) from error

    def _engine(self, url: URL) -> Engine:
        try:
            if self.file is None and url.get_backend_name() == SQLITE:
                return create_engine(
                    url, poolclass=StaticPool, connect_args={"check_same_thread": False}
                )
            patience: dict[str, Any] = (
                {"timeout": _BUSY_SECONDS}
                if url.get_backend_name() == SQLITE
                else {"connect_timeout": _CONNECT_SECONDS}
            )
            return create_engine(url, connect_args=patience, pool_pre_ping=self.file is None)
        except (ImportError, NoSuchModuleError) as error:
            message = (
                f"driver of {self.shown} must be installed, got {error}. "
                'Install it: pip install "pytest-training-harness[postgresql]".'
            )
            raise HistoryError(message) from error

    def _transaction(self, work: Callable[[Connection], T], *, writes: bool) -> T:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        pause = 0.01
        while True:
            with self._errors():
                try:
                    with self._begun(writes=writes) as connection:
                        return work(connection)
                except DBAPIError as error:
                    if not _worth_another_try(error) or time.monotonic() > deadline:
                        raise
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - spreads waiting processes
            pause = min(2 * pause, 1.0)

    @contextmanager
    def _begun(self, *, writes: bool) -> Iterator[Connection]:
        with self.engine.connect() as connection:
            connection = connection.execution_options(**{_WRITES: writes})  # noqa: PLW2901
            with connection.begin():
                yield connection

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Whatever the database raises, as an error that says what to do."""
        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            raise self._refused(error) from error

    def _refused(self, error: Exception) -> HistoryError:
        cause = getattr(error, "orig", None) or error
        said = " ".join(str(cause).split()) or type(cause).__name__
        found = (remedy for sign, remedy in _REMEDIES if sign in said.lower())
        remedy = next(found, "See the message of the database.")
        return HistoryError(f"history {self.shown} must be usable, got: {said}. {remedy}")


def _worth_another_try(error: DBAPIError) -> bool:
    said = str(error.orig).lower()
    if getattr(error.orig, "sqlstate", None) in _AGAIN_STATES:
        return True
    return any(sign in said for sign in _AGAIN)


def _set_up_sqlite(connection: Any, _record: object) -> None:
    # Python's own transactions would begin too late, and leave out CREATE TABLE.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {int(_BUSY_SECONDS * 1000)}")
    cursor.execute("PRAGMA journal_mode = WAL")
    # In this mode a killed process loses nothing; a power cut may lose the last transactions.
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that begins with reading and writes later fails at once where another wrote
    # in between; one that says so at the start waits for its turn.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
