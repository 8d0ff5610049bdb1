"""The exception tree and the one-line form of a problem."""

import pickle

import pytest

from harness import errors
from harness.errors import HarnessError, Problem, ShapeError, SpecError


@pytest.mark.parametrize(
    ("problem", "line"),
    [
        (
            Problem("a.toml", 3, "adam.beta_2", "lie in [0, 1)", "1.0", "Lower it."),
            "a.toml:3: adam.beta_2 must lie in [0, 1), got 1.0. Lower it.",
        ),
        (Problem("a.toml", None, "", "be TOML", "", None), "a.toml: must be TOML."),
        (Problem("", None, "title", "be set", ""), "title must be set."),
        (Problem("", None, "title", "", "3"), "title, got 3."),
    ],
)
def test_problem_leaves_out_what_is_empty(problem: Problem, line: str) -> None:
    """Place, rule, value and remedy are shown only where they are known."""
    assert str(problem) == line


def test_spec_error_shows_and_keeps_all_problems() -> None:
    """One line a problem, and the problems survive a trip to another process."""
    problems = (Problem("", None, "a", "be set", ""), Problem("", None, "b", "be set", ""))
    error = pickle.loads(pickle.dumps(SpecError(problems)))  # noqa: S301 - our own
    assert str(error) == "a must be set.\nb must be set."
    assert error.problems == problems


def test_all_errors_have_one_root() -> None:
    """Whoever catches HarnessError catches all of them; shapes are ValueErrors as well."""
    names = set(errors.__all__) - {"Problem"}
    assert all(issubclass(getattr(errors, name), HarnessError) for name in names)
    assert issubclass(ShapeError, ValueError)


def test_tree_in_the_docstring_is_complete() -> None:
    """Every exception is drawn in the docstring of its module."""
    drawn = errors.__doc__ or ""
    assert all(name in drawn for name in set(errors.__all__) - {"Problem"})
