"""Whether what a scenario requires is installed; light, so that nothing else is loaded to ask."""

from __future__ import annotations

from contextlib import suppress
from importlib import metadata
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from harness.spec.known import issue_applies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.spec.loaded import Scenario

__all__ = ["missing_requirement"]


def missing_requirement(scenario: Scenario, versions: Mapping[str, str]) -> str | None:
    """What the scenario requires, where it is not installed."""
    requires = scenario.spec.requires
    if requires is None:
        return None
    name = Requirement(requires).name
    installed = dict(versions)
    if name not in installed:
        with suppress(metadata.PackageNotFoundError):
            installed[name] = metadata.version(name)
    if issue_applies(requires, installed):
        return None
    return f"it requires {requires}, and {name} {installed.get(name, 'none')} is installed"
