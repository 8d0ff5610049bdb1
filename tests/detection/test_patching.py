"""Faults are planted as they are written, and nothing of them stays."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from harness.pipeline.backend import import_keras
from tests.detection.faults.patching import NotHereError, both, replaced, rewrite, wrap
from tests.detection.faults.table import FAULTS


class Base:
    """A class that something is inherited from."""

    def number(self) -> int:
        """Give a number."""
        return 1

    @property
    def square(self) -> int:
        """Give a number without being called."""
        return 4

    @staticmethod
    def cube() -> int:
        """Give a number without an object."""
        return 8


class Toy(Base):
    """A class whose methods are changed."""

    def number(self) -> int:
        """Call what is overridden."""
        return super().number() + 1


HERE = __name__


def test_rewritten() -> None:
    """Words of a method are changed, `super` still works, and the method is put back."""
    before = vars(Toy)["number"]
    with rewrite(f"{HERE}:Toy.number", ("+ 1", "+ 41"))():
        assert Toy().number() == 42
    assert vars(Toy)["number"] is before


def test_properties_and_static_methods() -> None:
    """Decorators of the original are kept."""
    plant = both(
        rewrite(f"{HERE}:Base.square", ("4", "5")), rewrite(f"{HERE}:Base.cube", ("8", "9"))
    )
    with plant():
        assert (Toy().square, Toy.cube()) == (5, 9)
    assert (Toy().square, Toy.cube()) == (4, 8)


def test_inherited() -> None:
    """What a class inherits is inherited again afterwards."""
    with wrap(f"{HERE}:Toy.square", lambda _: property(lambda self: 0))():  # noqa: ARG005 - unused
        assert (Toy().square, Base().square) == (0, 4)
    assert "square" not in vars(Toy)


def test_put_back_after_an_error() -> None:
    """An error within a fault puts everything back, too."""
    with pytest.raises(ZeroDivisionError), replaced(Toy, "number", None):
        raise ZeroDivisionError
    assert Toy().number() == 2


@pytest.mark.parametrize(
    ("place", "words", "message"),
    [
        (f"{HERE}:Toy.number", "- 1", "has '- 1' 0 times"),
        (f"{HERE}:Toy.number", "number", "has 'number' 2 times"),
        (f"{HERE}:Toy.letter", "x", "is not there"),
        ("tests.nothing:Toy.letter", "x", "is not there"),
    ],
)
def test_not_here(place: str, words: str, message: str) -> None:
    """A fault that does not fit the installed version says so and changes nothing."""
    with pytest.raises(NotHereError, match=message), rewrite(place, (words, ""))():
        pass


def test_all_faults_are_put_back() -> None:
    """After every fault, each left by an error, Keras is what it was."""
    import_keras()
    before = _everything()
    for fault in FAULTS:
        with pytest.raises((ZeroDivisionError, NotHereError)), fault.apply():
            raise ZeroDivisionError
    assert _changed(before) == []


def _everything() -> dict[tuple[str, str, str], Any]:
    """Every attribute of every class and module of Keras."""
    found: dict[tuple[str, str, str], Any] = {}
    for name, module in list(sys.modules.items()):
        if not name.startswith("keras.src.") or module is None:
            continue
        owners: list[Any] = [one for one in vars(module).values() if isinstance(one, type)]
        for owner in [module, *owners]:
            if owner is module or owner.__module__ == name:
                found |= {
                    (name, owner.__name__, key): value
                    for key, value in vars(owner).items()
                    if callable(value) or isinstance(value, property | staticmethod)
                }
    return found


def _changed(before: dict[tuple[str, str, str], Any]) -> list[tuple[str, str, str]]:
    now = _everything()
    return [key for key in before.keys() | now.keys() if before.get(key) is not now.get(key)]
