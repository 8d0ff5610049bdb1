"""What a person types is read whole, or refused with what to write instead."""

from __future__ import annotations

import pytest

from harness.comparison.environments import EnvironmentSpec, parse_environment
from harness.errors import HarnessUsageError

FORMS = (
    " Write `.` (as it is), `keras==3.14.0`, `git:REVISION`, `NAME=VALUE`, `threads:N` or a path "
    "with a slash in it, several joined by commas."
)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (".", {}),
        ("keras==3.14.0", {"packages": ("keras==3.14.0",)}),
        ("Keras == 3.14.0", {"packages": ("Keras==3.14.0",)}),
        ("keras>=3.10,<3.12", {"packages": ("keras<3.12,>=3.10",)}),
        (
            "tensorflow==2.20.0,keras==3.10.0",
            {"packages": ("keras==3.10.0", "tensorflow==2.20.0")},
        ),
        ("git:main~3", {"revision": "main~3"}),
        ("git:feature/x", {"revision": "feature/x"}),
        ("OMP_NUM_THREADS=1", {"variables": (("OMP_NUM_THREADS", "1"),)}),
        ("env:KERAS_BACKEND=jax", {"variables": (("KERAS_BACKEND", "jax"),)}),
        ("EMPTY=", {"variables": (("EMPTY", ""),)}),
        (r"XLA_FLAGS=--a=1\,2", {"variables": (("XLA_FLAGS", "--a=1,2"),)}),
        ("HOME=/home/x", {"variables": (("HOME", "/home/x"),)}),
        (
            "threads:2",
            {
                "variables": (
                    ("OMP_NUM_THREADS", "2"),
                    ("TF_NUM_INTEROP_THREADS", "2"),
                    ("TF_NUM_INTRAOP_THREADS", "2"),
                )
            },
        ),
        ("./overlay", {"paths": ("./overlay",)}),
        ("~/venv", {"paths": ("~/venv",)}),
        ("/opt/venv/bin/python", {"paths": ("/opt/venv/bin/python",)}),
        (
            "./overlay, keras==3.14.0 ,A=1",
            {"paths": ("./overlay",), "packages": ("keras==3.14.0",), "variables": (("A", "1"),)},
        ),
    ],
)
def test_what_is_read(text: str, parts: dict[str, object]) -> None:
    """Each form, alone and joined, in an order that does not depend on the typing."""
    assert parse_environment(text) == EnvironmentSpec(text=text, **parts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "have something between its commas, got ''."),
        ("keras==3.14.0,,A=1", "have something between its commas, got 'keras==3.14.0,,A=1'."),
        ("main", "give a package and its version, name==version, got 'main'."),
        ("keras 3.14", "be made of known parts, got 'keras 3.14'."),
        ("git:", "name a git revision after git:, got 'git:'."),
        ("git:--output=x", "name a git revision after git:, got 'git:--output=x'."),
        ("git:a,git:b", "name one git revision at most, got a and b."),
        ("threads:0", "give a number of threads from 1 after threads:, got 'threads:0'."),
        ("threads:all", "give a number of threads from 1 after threads:, got 'threads:all'."),
        ("env:A", "name a variable and its value after env:, got env:A."),
        ("A=1,A=2", "name each variable once, got A twice."),
        ("threads:1,OMP_NUM_THREADS=2", "name each variable once, got OMP_NUM_THREADS twice."),
        ("keras==3.8.0,Keras==3.9.0", "name each package once, got keras twice."),
        (
            "keras==3.8.0; python_version>'3'",
            (
                'give a package and its version, name==version, got "keras==3.8.0; '
                "python_version>'3'\"."
            ),
        ),
    ],
)
def test_what_is_refused(text: str, said: str) -> None:
    """A bare word is never taken for a package: it may have been meant as a branch."""
    with pytest.raises(HarnessUsageError) as raised:
        parse_environment(text)
    assert str(raised.value) == f"environment {text!r} must {said}{FORMS}"
