"""A made-up worker: it speaks the protocol, costs what a variable says, and trains nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.comparison.preparing import Prepared

if TYPE_CHECKING:
    import pytest

_CODE = """
import json, os, random, sys, time
noise = random.Random(os.environ.get("SEED", "0"))
def reply(**values):
    print(json.dumps(values), flush=True)
def cost(value):
    return value * (1 + 0.01 * noise.random())
if "MISSING" in os.environ:
    reply(error="there is no Keras")
    raise SystemExit
reply(versions={"keras": os.environ.get("VERSION", "3.15.1")}, forks="FRESH" not in os.environ)
for line in sys.stdin:
    request = json.loads(line)
    if request["do"] == "begin":
        if "HANGS" in os.environ:
            if os.fork() == 0:
                time.sleep(600)
            os.wait()
        if "LEFT_OUT" in os.environ:
            reply(left_out="not judged: no GPU")
            continue
        if "DIES" in os.environ:
            sys.exit("killed by made-up causes")
        if "REFUSES" in os.environ:
            reply(error="no such layer")
            continue
        reply(begun=True)
    elif request["do"] == "round":
        reply(step_seconds=cost(float(os.environ.get("STEP", "0.01"))))
    else:
        reply(compile_seconds=cost(0.5), peak_rss_bytes=3e8, peak_device_bytes=None)
        if "FRESH" in os.environ:
            break
"""


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the made-up worker in the place of the real one."""
    (folder / "made_up_worker.py").write_text(_CODE, encoding="utf-8")
    monkeypatch.setattr("harness.comparison.arms._WORKER", "made_up_worker")


def environment(folder: Path, **variables: str) -> Prepared:
    """This interpreter, in which the made-up worker is found."""
    return Prepared(
        name=",".join(f"{name}={value}" for name, value in variables.items()) or ".",
        python=Path(sys.executable),
        path=(folder,),
        variables=variables,
        folder=Path.cwd(),
        identity="1",
    )
