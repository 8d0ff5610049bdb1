"""What is known to be wrong with a fit before its first step."""

from __future__ import annotations

from typing import Any

__all__ = ["preview"]


def preview(model: Any, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """Findings of the preflight on a fit that is about to begin, as plain values."""
    return []
