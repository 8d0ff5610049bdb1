"""Tables on standard output: drawn on a terminal, plain columns for everybody else."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["can_show", "print_table"]


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table. Off a terminal nothing is cut short or wrapped, so that it can be searched."""
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table

        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in header:
            table.add_column(name, overflow="fold")
        for row in rows:
            table.add_row(*(_escaped(cell) for cell in row))
        Console().print(table)
        return
    lines = [tuple(header), *map(tuple, rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(header))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(cells).rstrip())


def can_show(text: str) -> bool:
    """Whether standard output can write these characters."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
