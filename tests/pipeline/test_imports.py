from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.errors import PipelineError
from harness.pipeline.imports import call_import, resolve
from harness.spec.base import ImportSpec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def spec_of(path: str, **arguments: object) -> ImportSpec:
    """Return an import of `path`."""
    return ImportSpec.model_validate({"import": path, "arguments": arguments})


def test_a_function_is_found_and_called(user_module: Callable[[str], str]) -> None:
    """Arguments of the file reach the function."""
    name = user_module("def scaled(*, factor):\n    return (factor, 2 * factor)\n")
    assert call_import(spec_of(f"{name}:scaled", factor=3), tuple, "a pair") == (3, 6)


def test_nested_names_are_followed(user_module: Callable[[str], str]) -> None:
    """A method of a class is a function too."""
    name = user_module("class Box:\n    @staticmethod\n    def make():\n        return 1\n")
    assert resolve(f"{name}:Box.make")() == 1


def test_the_working_directory_is_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module beside the scenarios needs no installation."""
    (tmp_path / "beside_the_scenarios.py").write_text("def one():\n    return 1\n", "utf-8")
    monkeypatch.setattr("sys.path", ["/nowhere"])
    monkeypatch.chdir(tmp_path)
    assert resolve("beside_the_scenarios:one")() == 1


def test_a_module_that_is_not_there() -> None:
    """The message names the path and what Python said."""
    with pytest.raises(PipelineError) as caught:
        resolve("no_such_module:function")
    assert str(caught.value) == (
        "import must name a module that imports, got 'no_such_module:function': "
        "ModuleNotFoundError: No module named 'no_such_module'. Is its folder on the path?"
    )


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("1 / 0\n", "ZeroDivisionError: division by zero"),
        ("raise SystemExit('gone')\n", "SystemExit: gone"),
    ],
)
def test_a_module_that_fails(text: str, error: str, user_module: Callable[[str], str]) -> None:
    """Whatever the user's module does while it is imported, the run goes on with a message."""
    name = user_module(text)
    with pytest.raises(PipelineError) as caught:
        resolve(f"{name}:function")
    assert str(caught.value) == (
        f"import must name a module that imports, got '{name}:function': {error}. "
        "Is its folder on the path?"
    )


def test_a_name_that_is_not_in_the_module(user_module: Callable[[str], str]) -> None:
    """The first missing part of the name is named."""
    name = user_module("value = 1\n")
    with pytest.raises(PipelineError) as caught:
        resolve(f"{name}:missing.part")
    assert str(caught.value) == (
        f"import must name something in {name}, got '{name}:missing.part': no 'missing'."
    )


def test_a_name_that_is_no_function(user_module: Callable[[str], str]) -> None:
    """A constant cannot be called."""
    name = user_module("value = 1\n")
    with pytest.raises(PipelineError) as caught:
        resolve(f"{name}:value")
    assert str(caught.value) == f"import must name a function, got '{name}:value' of type int."


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("raise ValueError('no data')", "ValueError: no data"),
        ("raise SystemExit(2)", "SystemExit: 2"),
    ],
)
def test_a_function_that_raises(body: str, error: str, user_module: Callable[[str], str]) -> None:
    """The message says with which arguments it was called."""
    name = user_module(f"def load(size):\n    {body}\n")
    with pytest.raises(PipelineError) as caught:
        call_import(spec_of(f"{name}:load", size=3), tuple, "(x, y)")
    assert str(caught.value) == (
        f"{name}:load must return (x, y), got {error}. It was called with {{'size': 3}}."
    )


def test_a_function_that_returns_something_else(user_module: Callable[[str], str]) -> None:
    """What came back is named by its type."""
    name = user_module("def load():\n    return None\n")
    with pytest.raises(PipelineError) as caught:
        call_import(spec_of(f"{name}:load"), tuple, "(x, y)")
    assert str(caught.value) == f"{name}:load must return (x, y), got type NoneType."
