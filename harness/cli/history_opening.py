"""What the commands of `harness history` share: which history, and which rows of it."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.errors import HarnessUsageError
from harness.history.opening import open_history
from harness.history.tracks import Sight

if TYPE_CHECKING:
    import argparse

    from harness.history.store import History

__all__ = ["chosen_scenarios", "opened", "sight_of"]

_HERE: Final = Path(".harness") / "history.sqlite"


def opened(options: argparse.Namespace, *, create: bool = False) -> History:
    """The history that the arguments, the environment or the folder name.

    Raises:
        HarnessUsageError: None of them names one.
        HistoryError: It cannot be opened.
    """
    where = options.history or os.environ.get("HARNESS_HISTORY")
    if not where:
        if not (create or _HERE.is_file()):
            message = (
                f"history must be named, got neither --history nor HARNESS_HISTORY nor {_HERE}. "
                "A session makes one: pytest --harness-history=PATH."
            )
            raise HarnessUsageError(message)
        where = str(_HERE)
    return open_history(where, create=create)


def chosen_scenarios(history: History, wanted: str | None) -> tuple[str, ...]:
    """Scenarios by name, by pattern, or all of them.

    Raises:
        HarnessUsageError: None is meant.
    """
    names = tuple(dict.fromkeys(summary.key.scenario for summary in history.series()))
    # As it is first: names of tests hold brackets, which are a pattern's as well.
    exact = tuple(name for name in names if name == wanted)
    chosen = exact or tuple(name for name in names if wanted is None or fnmatchcase(name, wanted))
    if not chosen:
        known = f"It has {', '.join(names[:5])}" if names else "It is empty"
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""  # noqa: PLR2004 - as above
        got = "none" if wanted is None else repr(wanted)
        message = f"scenario must be in {history.database.shown}, got {got}. {known}{more}."
        raise HarnessUsageError(message)
    return chosen


def sight_of(options: argparse.Namespace) -> Sight:
    """Which rows the arguments want to be compared."""
    names = (options.across or "").split(",")
    return Sight(
        across=frozenset(name.strip() for name in names if name.strip()),
        branches=None if options.branch is None else frozenset(options.branch),
    )
