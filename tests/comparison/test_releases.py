"""Which releases there are, in order, and which of them lie between two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement

from harness.comparison.commands import EnvironmentBroken
from harness.comparison.interpreters import current
from harness.comparison.releases import (
    final_releases,
    list_releases,
    newest_release,
    releases_between,
)
from harness.errors import HarnessUsageError
from tests.comparison.wheels import wheel

if TYPE_CHECKING:
    from pathlib import Path

RELEASES = ("3.8.0", "3.9.0", "3.9.2", "3.10.0")


def test_the_index_is_asked(index: Path) -> None:
    """By version, not by text; previews are left out."""
    for version in ("1.9", "1.10", "1.10.1rc1", "1.2"):
        wheel(index, "made-up", version)

    assert list_releases("made-up", current()) == ("1.2", "1.9", "1.10")
    assert newest_release(Requirement("made-up<1.10"), current()) == "1.9"


def test_a_package_that_nobody_knows(index: Path) -> None:
    """Pip's own words come out."""
    assert not list(index.iterdir())
    with pytest.raises(EnvironmentBroken, match="No matching distribution found for made-up"):
        list_releases("made-up", current())


def test_no_release_fits(index: Path) -> None:
    """The newest one is named."""
    wheel(index, "made-up", "1.2")
    with pytest.raises(HarnessUsageError, match=r"The newest is 1\.2"):
        newest_release(Requirement("made-up>2"), current())


def test_a_list_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The way out is named."""
    monkeypatch.setattr("harness.comparison.releases.run_tool", lambda *_: "changed its mind")
    with pytest.raises(HarnessUsageError, match="Give them by hand with --releases"):
        list_releases("made-up", current())


def test_previews_and_words_are_no_releases() -> None:
    """What is left is in order."""
    texts = [" 3.10.0", "3.9.0 ", "3.10.0rc0", "3.11.dev1", "latest", "3.9.0.post1"]
    assert final_releases(texts) == ("3.9.0", "3.9.0.post1", "3.10.0")


@pytest.mark.parametrize(("good", "bad"), [("3.9.0", "3.10.0"), ("3.10.0", "3.9.0")])
def test_both_ends_belong_to_the_line(good: str, bad: str) -> None:
    """Whichever is newer."""
    assert releases_between(RELEASES, good, bad) == ("3.9.0", "3.9.2", "3.10.0")


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("3.9.1", "3.10.0", "must be releases, got 3.9.1. Nearest: 3.9.0, 3.9.2."),
        ("3.8.0", "4.0", "must be releases, got 4.0. Nearest: 3.10.0."),
        ("3.8.0", "3.8", "must differ, got 3.8.0 twice."),
        ("HEAD", "3.8.0", "must be versions, got 'HEAD' and '3.8.0'."),
    ],
)
def test_ends_that_are_none(good: str, bad: str, said: str) -> None:
    """The neighbours of a release that was never made are named."""
    with pytest.raises(HarnessUsageError) as raised:
        releases_between(RELEASES, good, bad)
    assert str(raised.value) == f"--good and --bad {said}"
