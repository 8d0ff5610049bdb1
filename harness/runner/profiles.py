"""How many examples are drawn, from which seed, and how long a failure is made smaller."""

from __future__ import annotations

import os
import secrets
import zlib
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from harness.errors import HarnessUsageError

if TYPE_CHECKING:
    from harness.spec.loaded import Scenario

__all__ = ["PROFILES", "Budget", "budget_for", "fresh_seed", "scenario_name"]

PROFILES: Final = ("quick", "ci", "thorough")
"""Names of the profiles, the cheapest first."""

_EXAMPLES: Final = 10
_FACTORS: Final = {"quick": 1, "ci": 3, "thorough": 30}
_SHRINK_SECONDS: Final = {"quick": 30.0, "ci": 60.0, "thorough": 300.0}
_SEED_BITS: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one scenario may draw.

    Attributes:
        examples: Most examples.
        seed: Where the draws start. The same seed gives the same draws.
        shrink_seconds: For how long smaller draws that fail too are looked for.
    """

    examples: int
    seed: int
    shrink_seconds: float = _SHRINK_SECONDS["quick"]


def budget_for(scenario: Scenario, profile: str, seed: int | None) -> Budget:
    """The examples of a profile, and its seed unless one is given.

    `quick` and `ci` take the seed from the scenario's name, so that a red run is a change of the
    world and not of the dice. `thorough` takes a new one every time.

    Raises:
        HarnessUsageError: There is no such profile.
    """
    if profile not in _FACTORS:
        message = f"profile must be one of {', '.join(PROFILES)}, got {profile!r}."
        raise HarnessUsageError(message)
    if seed is None:
        name = scenario_name(scenario).encode()
        seed = fresh_seed() if profile == "thorough" else zlib.crc32(name)
    return Budget(
        examples=(scenario.spec.examples or _EXAMPLES) * _FACTORS[profile],
        seed=seed,
        shrink_seconds=_SHRINK_SECONDS[profile],
    )


def fresh_seed() -> int:
    """A seed that nobody can foresee."""
    return secrets.randbits(_SEED_BITS)


def scenario_name(scenario: Scenario) -> str:
    """Area and id, the same from whichever folder the path was typed."""
    folder = PurePath(os.path.abspath(scenario.path)).parent  # noqa: PTH100 - keeps links as typed
    return f"{folder.name}/{scenario.id}"
