"""Calls back when a module has been imported, so that the script imports it when it likes."""

from __future__ import annotations

import sys
from importlib.abc import Loader, MetaPathFinder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

__all__ = ["call_after_import"]


def call_after_import(actions: Mapping[str, Callable[[], None]]) -> None:
    """Call each action once, when the module of its name has been executed.

    Args:
        actions: By full name of a module that is not imported yet.
    """
    sys.meta_path.insert(0, _Finder(dict(actions)))


class _Finder(MetaPathFinder):
    def __init__(self, actions: dict[str, Callable[[], None]]) -> None:
        self._actions = actions

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._actions:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            if finder is self or find is None:
                continue
            spec: ModuleSpec | None = find(fullname, path, target)
            if spec is not None and spec.loader is not None:
                # Asked for is not yet imported: TensorFlow only looks whether there is a Keras.
                spec.loader = _Loader(spec.loader, lambda: self._imported(fullname))
                return spec
        return None

    def _imported(self, name: str) -> None:
        action = self._actions.pop(name, None)
        if action is not None:
            action()


class _Loader(Loader):
    """Loads as the real loader does, then calls the action; for all else it is the real one."""

    def __init__(self, loader: Any, action: Callable[[], None]) -> None:
        self._loader = loader
        self._action = action

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__.loader = module.__loader__ = self._loader  # type: ignore[union-attr]
        self._loader.exec_module(module)
        self._action()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)
