"""What is in the cache is whole, built once, and can be removed."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from harness.comparison.cache import Cache, default_cache
from harness.errors import HarnessUsageError


def test_a_folder_is_built_once(tmp_path: Path) -> None:
    """And found again."""
    cache, calls = Cache(tmp_path / "cache"), []

    def build(part: Path) -> None:
        calls.append(part)
        (part / "content").write_text("whole")

    first = cache.built("name", build)

    assert cache.built("name", build) == first == tmp_path / "cache" / "name"
    assert (first / "content").read_text() == "whole"
    assert len(calls) == 1


def test_what_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    """Neither under the name nor beside it, so that the next call builds anew."""
    cache = Cache(tmp_path / "cache")

    def build(part: Path) -> None:
        (part / "half").write_text("")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.built("name", build)
    assert [path.name for path in cache.folder.iterdir()] == ["CACHEDIR.TAG"]


def test_two_builders_at_once_agree(tmp_path: Path) -> None:
    """Both build, one is kept, and both get it."""
    cache, together = Cache(tmp_path / "cache"), threading.Barrier(2)
    found: list[Path] = []

    def build(part: Path) -> None:
        (part / "content").write_text("whole")
        together.wait(10)

    workers = [
        threading.Thread(target=lambda: found.append(cache.built("name", build))) for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert found == [cache.folder / "name"] * 2
    assert {path.name for path in cache.folder.iterdir()} == {"CACHEDIR.TAG", "name"}


def test_texts_are_kept(tmp_path: Path) -> None:
    """Under names with a folder, and nothing where there is none."""
    cache = Cache(tmp_path / "cache")

    assert cache.read("verdicts/a.json") is None
    cache.write("verdicts/a.json", "{}")
    assert cache.read("verdicts/a.json") == "{}"


def test_cleaning_removes_ours_and_nothing_else(tmp_path: Path) -> None:
    """A folder that somebody else filled is used, never removed."""
    cache = Cache(tmp_path / "cache")
    assert cache.clean() == 0
    cache.write("verdicts/a.json", "0123456789")
    assert cache.clean() > 10
    assert not cache.folder.exists()

    theirs = Cache(tmp_path / "theirs")
    theirs.folder.mkdir()
    (theirs.folder / "thesis.tex").write_text("")
    theirs.write("verdicts/a.json", "{}")
    with pytest.raises(HarnessUsageError, match="must be a cache of the harness to be removed"):
        theirs.clean()
    assert (theirs.folder / "thesis.tex").exists()


def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    """The message says how to choose another."""
    (tmp_path / "file").write_text("")
    with pytest.raises(HarnessUsageError, match="Choose another with --cache or HARNESS_CACHE_DIR"):
        Cache(tmp_path / "file").write("a", "")


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable first, then the user's caches."""
    monkeypatch.setenv("HARNESS_CACHE_DIR", "/chosen")
    assert default_cache() == Path("/chosen/environments")
    monkeypatch.delenv("HARNESS_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert default_cache() == Path("/caches/pytest-training-harness/environments")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert default_cache() == Path("/home/somebody/.cache/pytest-training-harness/environments")
