"""Runs a script as ``__main__`` of a process of its own, in which alone it is observed.

What the script could tell apart from a plain ``python SCRIPT`` is kept: arguments, ``sys.path``,
the working directory, standard streams, its exit status and its tracebacks. Keras is wrapped when
the script imports it, so that whatever it sets before still counts.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["main", "observe"]


def main(arguments: list[str]) -> None:
    """Run one script.

    Args:
        arguments: Descriptor of the journal, then the script and its arguments; ``-m`` before the
            name of a module.
    """
    journal, *command = arguments
    # Run by path, so that nothing in the user's folder stands before the standard library.
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    observer = observe(int(journal))
    try:
        run(command)
    except SystemExit as error:
        observer.ends(error)
        raise
    except BaseException as error:  # noqa: BLE001 - the border of the process: told, then shown
        observer.ends(error)
        _show(error)
        _leave(130 if isinstance(error, KeyboardInterrupt) else 1)
    observer.ends(None)


def observe(journal: int) -> Any:
    """Begin to observe this process.

    Args:
        journal: Descriptor of the open file that takes what is seen.
    """
    from harness.diagnosis.observing.observer import Observer

    os.set_inheritable(journal, False)  # noqa: FBT003 - it has no other form
    observer = Observer(journal)
    observer.begin()
    return observer


def run(command: list[str]) -> None:
    """Execute a script, or with ``-m`` a module, as ``__main__``."""
    if command[0] == "-m":
        import runpy

        sys.argv = command[1:]
        sys.path[0] = str(Path.cwd())
        runpy.run_module(command[1], run_name="__main__", alter_sys=True)
        return
    script = command[0]
    sys.argv = command
    sys.path[0] = str(Path(script).resolve().parent)
    module = ModuleType("__main__")
    module.__file__ = script
    module.__dict__["__builtins__"] = __builtins__
    # Pickling, and processes that the script spawns, look the script up there.
    sys.modules["__main__"] = module
    code = compile(Path(script).read_bytes(), script, "exec")
    exec(code, module.__dict__)  # noqa: S102 - running the script is the job


def _show(error: BaseException) -> None:
    """Show an exception as Python would without us."""
    from harness.diagnosis.observing.places import without_ours

    trace = without_ours(error.__traceback__)
    sys.excepthook(type(error), error.with_traceback(trace), trace)


def _leave(status: int) -> None:
    """End with a status after everything that Python does at its end."""
    threading.excepthook = lambda *_: None
    raise SystemExit(status)


if __name__ == "__main__":
    main(sys.argv[1:])
