"""The pytest plugin: scenario files are test items.

This module is imported by every pytest session in an environment where the harness is installed,
so it imports pytest and the standard library only; everything else waits inside the hooks until a
scenario is really collected. It patches nothing and changes nothing for other tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.plugin.exclusive import forget_folder, hand_out_folder, take_turns
from harness.plugin.options import HarnessOptions, add_options, header, is_scenario

if TYPE_CHECKING:
    from pathlib import Path

    from harness.plugin.collect import ScenarioFile

__all__ = [
    "pytest_addoption",
    "pytest_collect_file",
    "pytest_collection_finish",
    "pytest_configure",
    "pytest_configure_node",
    "pytest_report_header",
    "pytest_terminal_summary",
    "pytest_unconfigure",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options and ini values of the harness."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a profile that does not exist before anything is collected."""
    HarnessOptions.of(config)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say how scenarios draw, if somebody asked for a profile or a seed."""
    return header(config)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ScenarioFile | None:
    """Collect TOML files in scenario folders, and those named on the command line."""
    if file_path.suffix != ".toml" or not is_scenario(file_path, parent):
        return None
    from harness.plugin.collect import ScenarioFile

    collected: ScenarioFile = ScenarioFile.from_parent(parent, path=file_path)
    return collected


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of xdist where the session's locks are."""
    hand_out_folder(node.config, node.workerinput)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let benchmarks run alone, where there are any and other workers beside this one."""
    if hasattr(session.config, "workerinput"):
        take_turns(session)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the session's locks."""
    forget_folder(config)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A section of our own, if scenarios were run."""
    from harness.plugin.summary import write_summary

    write_summary(terminalreporter)
