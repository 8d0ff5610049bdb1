"""Where histories come from: a file, a server, or JSON lines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import URL

from harness.errors import HistoryError
from harness.history.database import SQLITE, Database, parse_url
from harness.history.lines import append_lines, read_lines
from harness.history.migrations import MIGRATIONS, migrate, version_of
from harness.history.store import History

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from harness.history.measurement import Measurement

__all__ = ["open_history"]

_LINES: Final = ".jsonl"


def open_history(where: str, *, create: bool = True) -> History:
    """Open a history and bring its tables up to date.

    Args:
        where: A path of an SQLite file; a URL, ``sqlite:///file`` or
            ``postgresql://user:password@host/database``; or a path of JSON lines (``.jsonl``),
            which are read into memory, and to which new measurements are appended.
        create: Make a file that is not there.

    Raises:
        HistoryError: It cannot be opened, or a newer harness made it.
    """
    if "://" not in where and where.endswith(_LINES):
        return _open_lines(Path(where).expanduser(), create=create)
    return History(_prepared(parse_url(where), create=create))


class _LinesHistory(History):
    """A history in memory, the new rows of which are appended to a file."""

    def __init__(self, database: Database, path: Path) -> None:
        super().__init__(database)
        self._path = path

    def add(self, measurement: Measurement) -> bool:
        fresh = super().add(measurement)
        if fresh:
            append_lines(self._path, [measurement])
        return fresh

    def add_all(self, measurements: Iterable[Measurement]) -> int:
        return sum(self.add(measurement) for measurement in measurements)


def _open_lines(path: Path, *, create: bool) -> History:
    if not create and not path.is_file():
        message = f"history must exist, got {path}, which is no file. Check the path."
        raise HistoryError(message)
    known = read_lines(path).measurements if path.is_file() else ()
    database = _prepared(URL.create(SQLITE, database=":memory:"), create=True)
    database.shown = str(path)
    History(database).add_all(known)
    return _LinesHistory(database, path)


def _prepared(url: URL, *, create: bool) -> Database:
    database = Database(url, create=create)

    def prepare(connection: Connection) -> None:
        database.lock_for_migration(connection)
        migrate(connection)

    try:
        # Looking first keeps a reader from waiting for writers, and needs no right to write.
        if database.read(version_of) != len(MIGRATIONS):
            database.write(prepare)
    except BaseException:
        database.close()
        raise
    return database
