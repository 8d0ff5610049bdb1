"""Whatever is in a file, the answer is a scenario or a list of problems."""

from __future__ import annotations

import copy
import random
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import Problem, SpecError
from harness.spec import parse_scenario
from harness.spec.pipeline import PipelineSpec

from .tables import tables_of

CASES = sorted((Path(__file__).parent / "cases" / "valid").glob("*.toml"))
MUTANTS = 40
_JUNK: tuple[Any, ...] = (
    3,
    -1,
    0.5,
    float("nan"),
    "",
    "sgd",
    True,
    [],
    [[]],
    {},
    {"kind": "adam"},
    [{}],
    {"": {}},
)
_KEYS = ("kind", "optimizer.momentum", "callbacks.0", "seed.x", "", "a.0.b", "import", "when")


def _problems(text: str) -> tuple[Problem, ...]:
    """Problems of a text, whose lines must be lines that it has."""
    problems: tuple[Problem, ...] = ()
    try:
        parse_scenario(text, path="x.toml")
    except SpecError as error:
        problems = error.problems
    lines = [problem.line or 0 for problem in problems]
    assert all(0 <= line <= text.count("\n") + 1 for line in lines)
    assert lines == sorted(lines)
    return problems


@given(st.text())
def test_any_text(text: str) -> None:
    """A text that is anything is refused in an orderly way."""
    assert _problems(text)


@given(tables_of(PipelineSpec))
def test_any_well_formed_pipeline(pipeline: dict[str, Any]) -> None:
    """A pipeline whose tables are right each for itself runs or breaks rules between them."""
    expect = [{"kind": "unchanged_by", "change": {"optimizer.momentum": 0.5, "seed": 3}}]
    document = {"title": "Any pipeline at all", "pipeline": pipeline, "expect": expect}

    _problems(tomli_w.dumps(document))


@pytest.mark.parametrize("file", CASES, ids=lambda path: path.stem)
def test_mutants_of_a_valid_file(file: Path) -> None:
    """Values, keys and whole tables that are exchanged for junk never end in anything else."""
    rng = random.Random(file.stem)
    for _ in range(MUTANTS):
        document = tomllib.loads(file.read_text("utf-8"))
        for _ in range(rng.choice((1, 1, 3))):
            _mutate(document, rng)
        _problems(tomli_w.dumps(document))


def _mutate(document: dict[str, Any], rng: random.Random) -> None:
    """Put junk in some place of a document, or take something away."""
    node: Any = document
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            return
        key = rng.choice(keys)
        inner = node[key]
        if not isinstance(inner, dict | list) or not inner or rng.random() < 0.2:
            break
        node = inner
    if isinstance(node, dict) and rng.random() < 0.3:
        node[rng.choice(_KEYS)] = node.pop(key)
    elif rng.random() < 0.2:
        del node[key]
    else:
        node[key] = copy.deepcopy(rng.choice(_JUNK))
