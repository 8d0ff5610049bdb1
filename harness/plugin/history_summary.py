"""The section of the terminal summary on the history."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pytest

    from harness.history.judging import Judgement
    from harness.plugin.history import HistoryKeeper

__all__ = ["write_history_summary"]

_WIDTH: Final = 100
_MOST: Final = 20
"""Figures that are listed one by one, of those that could not be judged."""


def write_history_summary(terminal: pytest.TerminalReporter, keeper: HistoryKeeper) -> None:
    """Write what became of the figures; with -q only what is wrong, nothing if all is well."""
    quiet = terminal.config.get_verbosity() < 0
    failing = [judgement for judgement in keeper.judgements if judgement.fails]
    if keeper.trouble is None and (not keeper.judgements or (quiet and not failing)):
        return
    terminal.section("training history")
    for line in (keeper.trouble or "").splitlines():
        terminal.line(line, red=True)
    if keeper.judgements:
        _write_verdicts(terminal, keeper, quiet=quiet)


def _write_verdicts(
    terminal: pytest.TerminalReporter, keeper: HistoryKeeper, *, quiet: bool
) -> None:
    from harness.history.judging import Movement
    from harness.history.sentences import counted, sentences

    told = counted(keeper.judgements)
    rows = len(keeper.written)
    terminal.line(f"{rows} {'figure' if rows == 1 else 'figures'} remembered: {told}")
    for movement in Movement:
        chosen = [one for one in keeper.judgements if one.movement is movement]
        if movement is Movement.NO_CHANGE or (quiet and movement is not Movement.REGRESSION):
            continue
        if movement is Movement.COULD_NOT_JUDGE:
            _write_unjudged(terminal, chosen)
            continue
        for judgement in chosen:
            head, *rest = sentences(judgement)
            terminal.line("")
            terminal.line(head, red=judgement.fails, bold=judgement.fails)
            for sentence in rest:
                terminal.line(_wrapped(sentence))
    _write_consequence(terminal, keeper)


def _write_unjudged(terminal: pytest.TerminalReporter, judgements: list[Judgement]) -> None:
    """One line for each reason: a new history has the same one for everything."""
    from harness.history.sentences import left_out_sentences

    reasons: dict[str, list[str]] = {}
    left_out: dict[str, tuple[str, ...]] = {}
    for judgement in judgements:
        reasons.setdefault(judgement.reason, []).append(judgement.track.name)
        left_out.setdefault(judgement.reason, left_out_sentences(judgement.track.left_out))
    for reason, names in reasons.items():
        terminal.line("")
        terminal.line(f"could not judge: {reason}")
        verbose = terminal.config.get_verbosity() > 0
        shown = names if verbose else names[:_MOST]
        terminal.line(_wrapped(", ".join(shown)))
        if len(shown) < len(names):
            terminal.line(f"    and {len(names) - len(shown)} more (-v lists them)")
        for sentence in left_out[reason]:
            terminal.line(_wrapped(f"{names[0]}: {sentence}"))


def _write_consequence(terminal: pytest.TerminalReporter, keeper: HistoryKeeper) -> None:
    failing = sum(judgement.fails for judgement in keeper.judgements)
    if not failing:
        return
    terminal.line("")
    if keeper.options.margin is None:
        text = "They fail nothing: --harness-fail-on-regression was not given."
    else:
        text = (
            "The session fails. What is meant to be so is acknowledged by: "
            "harness history acknowledge SCENARIO --metric METRIC --reason WHY"
        )
    terminal.line(text)


def _wrapped(text: str) -> str:
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent="    ",
        subsequent_indent="    ",
        break_on_hyphens=False,
        break_long_words=False,
    )
