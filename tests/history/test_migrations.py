"""Tables are brought up to date, and those of a newer harness are left alone."""

import re

import pytest
from sqlalchemy import Connection, inspect

from harness.errors import HistoryError
from harness.history import migrations, opening
from harness.history.database import Database, parse_url
from harness.history.decisions import decisions
from harness.history.migrations import MIGRATIONS, migrate, version_of
from harness.history.opening import open_history
from harness.history.tables import METADATA, SCHEMA
from tests.history.rows import row


def pretend(patch: pytest.MonkeyPatch, steps: tuple[tuple[str, ...], ...]) -> None:
    """Be a harness that knows these steps."""
    patch.setattr(migrations, "MIGRATIONS", steps)
    patch.setattr(opening, "MIGRATIONS", steps)


def test_migrations_make_the_tables_of_today(where: str) -> None:
    """Each column that the code knows, and none that it does not."""
    with open_history(where) as history:
        found = inspect(history.database.engine)
        columns = {
            table: {(column["name"], column["nullable"]) for column in found.get_columns(table)}
            for table in found.get_table_names()
        }

    assert columns == {
        table.name: {(column.name, bool(column.nullable)) for column in table.columns}
        for table in METADATA.sorted_tables
    }


def test_an_older_history_is_brought_up_to_date(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what is in it."""
    with monkeypatch.context() as patch:
        pretend(patch, MIGRATIONS[:1])
        with open_history(where) as history:
            history.add(row())
            assert history.database.read(version_of) == 1

    with open_history(where) as history:
        assert history.database.read(version_of) == len(MIGRATIONS)
        assert list(history.measurements()) == [row()]
        assert decisions(history).quarantines == ()


def test_a_newer_history_is_refused(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing in it is changed."""
    with monkeypatch.context() as patch:
        later = (*MIGRATIONS, ("CREATE TABLE later (id TEXT)",))
        pretend(patch, later)
        open_history(where).close()

    expected = (
        f"schema of the history must be at most version {len(MIGRATIONS)}, got "
        f"{len(MIGRATIONS) + 1}. A newer harness wrote it: upgrade this one, or name another "
        "history."
    )
    with pytest.raises(HistoryError, match=f"^{re.escape(expected)}$"):
        open_history(where)


def test_a_migration_is_made_whole_or_not_at_all(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that breaks in the middle leaves the version before."""
    open_history(where).close()
    broken = (*MIGRATIONS, ("CREATE TABLE half (id TEXT)", "CREATE NONSENSE"))
    database = Database(parse_url(where), create=False)
    with monkeypatch.context() as patch:
        pretend(patch, broken)
        with pytest.raises(HistoryError, match="NONSENSE"):
            database.write(migrate)

    assert database.read(version_of) == len(MIGRATIONS)
    assert not inspect(database.engine).has_table("half")
    database.close()


def test_a_reader_does_not_wait_for_a_writer(where: str) -> None:
    """Opening what is up to date takes no lock."""
    with open_history(where) as history:

        def work(connection: Connection) -> int:
            connection.execute(SCHEMA.insert().values(version=0))
            with open_history(where, create=False) as other:
                return len(other.series())

        assert history.database.write(work) == 0
