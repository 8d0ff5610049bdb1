"""Options of the history: where it is, and whether a regression fails the session."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["DEFAULT_MARGIN", "HistoryOptions", "add_history_options", "parse_margin"]

DEFAULT_MARGIN: Final = 0.02
"""Smaller changes are rarely worth anybody's time, however sure one can be of them."""

_VARIABLE: Final = "HARNESS_HISTORY"
_MARGIN: Final = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*(%?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryOptions:
    """What a session does with its figures.

    Attributes:
        where: Path or URL of the history; None keeps nothing.
        margin: Smallest worsening that fails the session, as a fraction; None fails nothing.
    """

    where: str | None
    margin: float | None

    @classmethod
    def of(cls, config: pytest.Config) -> HistoryOptions:
        """The options of a session: command line, then environment, then ini file.

        Raises:
            pytest.UsageError: The margin is no margin, or there is nothing to judge by.
        """
        where = _where(config)
        text = config.getoption("harness_fail_on_regression")
        if text is None:
            text = config.getini("harness_fail_on_regression") or None
        if text is None:
            return cls(where=where, margin=None)
        if where is None:
            message = (
                "--harness-fail-on-regression must come with a history to judge by, got none. "
                "Add --harness-history=PATH."
            )
            raise pytest.UsageError(message)
        return cls(where=where, margin=parse_margin(text))


def parse_margin(text: str) -> float:
    """A fraction from what a person writes: ``0.05`` or ``5%``.

    Raises:
        pytest.UsageError: It is neither.
    """
    if text == "on":
        return DEFAULT_MARGIN
    found = _MARGIN.fullmatch(text.strip())
    margin = float(found[1]) / (100 if found[2] else 1) if found else -1.0
    if not 0 <= margin < 1:
        message = (
            "--harness-fail-on-regression must be a fraction below 1 or a percentage, such as "
            f"0.05 or 5%, got {text!r}. Write it with an equals sign: "
            "--harness-fail-on-regression=5%; without one, put it after the paths."
        )
        raise pytest.UsageError(message)
    return margin


def add_history_options(parser: pytest.Parser) -> None:
    """Register options and ini values."""
    group = parser.getgroup("harness", "training scenarios")
    group.addoption(
        "--harness-history",
        metavar="URL",
        default=None,
        help="remember what the tests measure: a path of an SQLite file or of JSON lines "
        "(.jsonl), or the URL of a PostgreSQL database; also the variable HARNESS_HISTORY",
    )
    group.addoption(
        "--harness-fail-on-regression",
        metavar="MARGIN",
        nargs="?",
        const="on",
        default=None,
        help="fail the session when a figure has got worse by more than this against the "
        f"history: 0.05 or 5%%, by default {DEFAULT_MARGIN}",
    )
    parser.addini("harness_history", "path or URL of the history", "string", "")
    parser.addini(
        "harness_fail_on_regression",
        "margin of a regression that fails the session, or 'on' for the default",
        "string",
        "",
    )


def _where(config: pytest.Config) -> str | None:
    """Where the history is; a path of the ini file starts at that file's folder."""
    given = config.getoption("harness_history")
    if given is None:
        given = os.environ.get(_VARIABLE)
    if given is not None:
        return _absolute(given, config.invocation_params.dir) if given else None
    named = config.getini("harness_history")
    return _absolute(named, config.rootpath) if named else None


def _absolute(where: str, folder: Path) -> str:
    """A path that stays right when a test changes the folder; a URL as it is."""
    return where if "://" in where else str(folder / os.path.expanduser(where))  # noqa: PTH111
