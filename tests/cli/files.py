"""Scenario files for the commands to read."""

from pathlib import Path

TITLE = 'title = "Losses stay small"\n'
ISSUE = """
[[known_issue]]
id = "loses"
versions = "keras>=3.10"
reason = "It loses too much."
expectation = "small"
when = [{ seed = { at_least = 50 } }]
example = { seed = 60 }
"""


def write(name: str, *parts: str) -> Path:
    """Write a scenario file and return its path."""
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join((TITLE, *parts)), encoding="utf-8")
    return path
