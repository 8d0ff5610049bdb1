"""Fixtures: pipelines from plain tables, and modules of a user that exist for one test."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from harness.runner.run import run_pipeline
from harness.spec.pipeline import PipelineSpec
from harness.trace import Recording, Trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def run() -> Callable[..., Trace]:
    """Return a function that runs a pipeline given as keyword tables."""

    def run_tables(*record: str, reuse: bool = True, **tables: Any) -> Trace:
        spec = PipelineSpec.model_validate(tables)
        return run_pipeline(spec, Recording.of(*record), reuse=reuse)

    return run_tables


@pytest.fixture
def user_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """Return a function that makes a module of a text and returns its name."""
    monkeypatch.syspath_prepend(str(tmp_path))
    names: list[str] = []

    def write(text: str) -> str:
        name = f"user_module_{tmp_path.name}_{len(names)}".replace("-", "_")
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        names.append(name)
        return name

    yield write
    for name in names:
        sys.modules.pop(name, None)
