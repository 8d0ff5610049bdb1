"""The table of rules in the document is made of the rules."""

from pathlib import Path

from harness.preflight import rules

DOCUMENT = Path(__file__).parents[2] / "docs" / "preflight.md"


def test_every_rule_is_in_the_table() -> None:
    """Name, severity and what it says, in the order of `rules`."""
    lines = [f"| `{rule.name}` | {rule.severity} | {rule.says} |" for rule in rules()]
    table = [line for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("| `")]

    assert [line for line in table if line.count("|") == 4] == lines
