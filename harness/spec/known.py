"""Whether a known issue speaks about a drawn pipeline, and about what is installed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from harness.spec.canonical import canonical_tables
from harness.spec.paths import MISSING, value_at

if TYPE_CHECKING:
    from harness.spec.pipeline import PipelineSpec
    from harness.spec.scenario import ConditionSpec

__all__ = ["condition_holds", "issue_applies", "when_matches"]


def condition_holds(spec: ConditionSpec, value: Any) -> bool:
    """Whether every part of a condition holds of a value; `MISSING` and None are absent.

    Nothing holds of an absent value but ``given = false``. Of a table only the named keys are
    compared, and a bare name is its kind: ``optimizer = { is = "adam" }`` asks for any Adam.
    """
    if value is None or value is MISSING:
        return spec.model_fields_set == {"given"} and spec.given is False
    parts = (
        "is_" not in spec.model_fields_set or _equal(value, spec.is_),
        spec.in_ is None or any(_equal(value, item) for item in spec.in_),
        spec.at_least is None or (_is_number(value) and value >= spec.at_least),
        spec.at_most is None or (_is_number(value) and value <= spec.at_most),
        spec.nan is None or _is_nan(value) is spec.nan,
        spec.given is not False,
        spec.has_nan is None or _has_nan(value) is spec.has_nan,
    )
    return all(parts)


def when_matches(
    when: Sequence[Mapping[str, ConditionSpec]] | None, pipeline: PipelineSpec
) -> bool:
    """Whether a pipeline meets all conditions of one of the tables; None matches every one."""
    if when is None:
        return True
    tables = canonical_tables(pipeline)
    return any(
        all(condition_holds(condition, value_at(tables, key)) for key, condition in table.items())
        for table in when
    )


def issue_applies(versions: str, installed: Mapping[str, str]) -> bool:
    """Whether an installed package lies in the range a known issue is about.

    Args:
        versions: Package and PEP 440 range, such as ``keras>=3.12,<3.16``.
        installed: Version of each installed package by name. A package that is missing, or whose
            version is not one of PEP 440, is outside every range.

    Raises:
        packaging.requirements.InvalidRequirement: `versions` is not such a range; in a loaded
            scenario it always is.
    """
    requirement = Requirement(versions)
    by_name = {canonicalize_name(name): version for name, version in installed.items()}
    try:
        version = Version(by_name[canonicalize_name(requirement.name)])
    except (KeyError, InvalidVersion):
        return False
    return requirement.specifier.contains(version, prereleases=True)


def _equal(value: Any, expected: Any) -> bool:
    if isinstance(value, Mapping):
        asked = {"kind": expected} if isinstance(expected, str) else expected
        return isinstance(asked, Mapping) and all(
            _equal(value.get(key), item) for key, item in asked.items()
        )
    if isinstance(value, list | tuple) and isinstance(expected, list | tuple):
        return len(value) == len(expected) and all(map(_equal, value, expected))
    if isinstance(value, bool) or isinstance(expected, bool):
        return value is expected
    return (_is_nan(value) and _is_nan(expected)) or bool(value == expected)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _has_nan(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(_has_nan(item) for item in value)
    return _is_nan(value)
