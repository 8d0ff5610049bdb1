"""Many writers at once, writers that are killed, disks that are full, files that are broken."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Connection

from harness.errors import HistoryError
from harness.history.opening import open_history
from tests.history.rows import row, rows

WRITERS = 8
ROWS = 40
ROOT = Path(__file__).parents[2]


def start(where: str, writer: int, count: int) -> subprocess.Popen[str]:
    """Start a process that writes `count` rows."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, str(ROOT / "tests/history/writer.py"), where, str(writer), str(count)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )


def test_eight_writers_lose_nothing(where: str) -> None:
    """They make the history together, too: it is not there when they start."""
    writers = [start(where, writer, ROWS) for writer in range(WRITERS)]
    for writer in writers:
        _, errors = writer.communicate(timeout=300)
        assert (writer.returncode, errors) == (0, "")

    with open_history(where, create=False) as history:
        assert {one.key.scenario: one.count for one in history.series()} == {
            f"writer/{writer}": ROWS for writer in range(WRITERS)
        }


def test_a_killed_writer_loses_at_most_its_row(where: str) -> None:
    """Every row that it was sure of is there, none is half there, and others write on."""
    with start(where, 0, 1_000_000) as writer:
        assert writer.stdout is not None
        for _ in range(30):
            writer.stdout.readline()
        writer.kill()
        sure = 30 + len(writer.stdout.read().splitlines())

    with open_history(where, create=False) as history:
        (summary,) = history.series()
        assert sure <= summary.count <= sure + 1
        values = [one.value for one in history.measurements()]
        assert values == [float(number) for number in range(summary.count)]
        assert history.add(row())


def test_a_full_disk_is_said_and_harms_nothing(tmp_path: Path) -> None:
    """What was there stays, and once there is room writing goes on."""
    where = str(tmp_path / "history.sqlite")
    with open_history(where) as history:
        history.add_all(rows([1.0, 2.0]))

        def shrink(*, to_pages: int) -> None:
            def work(connection: Connection) -> None:
                connection.exec_driver_sql(f"PRAGMA max_page_count = {to_pages}")

            history.database.read(work)

        shrink(to_pages=1)
        with pytest.raises(HistoryError) as caught:
            history.add_all(rows([float(value) for value in range(10, 2000)]))
        assert str(caught.value) == (
            f"history {where} must be usable, got: database or disk is full. "
            "Free some space, then record or import again."
        )
        shrink(to_pages=1_000_000)
        assert history.add(row(3.0, 3))
        assert [one.value for one in history.measurements()] == [1.0, 2.0, 3.0]


def test_a_file_that_may_not_grow_is_said(tmp_path: Path) -> None:
    """The same from the operating system: a limit on the size of files."""
    code = (
        "import resource, signal, sys\n"
        "from harness.errors import HistoryError\n"
        "from harness.history.opening import open_history\n"
        "from tests.history.rows import rows\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "with open_history(sys.argv[1]) as history:\n"
        "    history.add_all(rows([1.0]))\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        "    try:\n"
        "        history.add_all(rows([float(value) for value in range(5000)]))\n"
        "    except HistoryError as error:\n"
        "        print(error)\n"
    )
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    result = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "history.sqlite")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": path},
    )

    assert (result.returncode, result.stderr) == (0, "")
    assert "must be usable, got: " in result.stdout
    assert result.stdout.endswith("then record or import again.\n")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (b"no database at all, just some text that is long enough" * 20, "not a database"),
        (b"SQLite format 3\x00" + b"\xff" * 4080, "(not a database|malformed|disk I/O error)"),
    ],
)
def test_a_broken_file_is_said(tmp_path: Path, damage: bytes, said: str) -> None:
    """What it is, and what to do."""
    file = tmp_path / "history.sqlite"
    file.write_bytes(damage)

    with pytest.raises(HistoryError, match=said):
        open_history(str(file))
    assert file.read_bytes() == damage


def test_a_folder_in_the_way_is_said(tmp_path: Path) -> None:
    """The database can open no folder."""
    with pytest.raises(HistoryError, match="unable to open database file"):
        open_history(str(tmp_path))


def test_a_file_in_the_way_of_its_folder_is_said(tmp_path: Path) -> None:
    """A folder cannot be made there."""
    (tmp_path / "file").write_text("")

    with pytest.raises(HistoryError, match=r"must be usable, got: .*(File exists|Not a directory)"):
        open_history(str(tmp_path / "file" / "history.sqlite"))


def test_reading_makes_no_file(tmp_path: Path) -> None:
    """A wrong path is an error and no empty history."""
    where = tmp_path / "none.sqlite"

    with pytest.raises(HistoryError, match=r"must exist, got .*none.sqlite, which is"):
        open_history(str(where), create=False)
    assert not where.exists()


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("mysql://host/base", "SQLite or PostgreSQL, got 'mysql'"),
        ("://", "a path or a URL of a database, got '://'"),
    ],
)
def test_other_databases_are_refused(where: str, said: str) -> None:
    """With what is possible instead."""
    with pytest.raises(HistoryError, match=said):
        open_history(where)


def test_a_server_that_is_not_there_is_said() -> None:
    """Without the password."""
    pytest.importorskip("psycopg")
    with pytest.raises(HistoryError) as caught:
        open_history("postgresql://me:secret@127.0.0.1:1/base")

    assert "secret" not in str(caught.value)
    assert "Check host, port, name and password" in str(caught.value)
