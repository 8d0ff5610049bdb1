"""A server that has imported Keras and forks once a script; importing it again costs seconds.

It reads one JSON object a line, runs it in a child that is observed as the real one is, and answers
with the child's status and what it wrote.
"""

import importlib
import json
import os
import sys
import tempfile
from typing import Any

from harness.diagnosis import child

for name in ("keras", "tensorflow"):
    # What the children need not import again; the observer's own parts with it.
    importlib.import_module(name)
for name in ("fits", "observer", "steps", "validation"):
    importlib.import_module(f"harness.diagnosis.observing.{name}")

LEAVE = os._exit
"""As it was before anybody watched it."""


def serve(answers: int) -> None:
    """Answer until the input ends.

    Args:
        answers: Descriptor that takes one line an answer.
    """
    for line in sys.stdin:
        request = json.loads(line)
        with tempfile.TemporaryFile() as output:
            status = _fork(request, output.fileno())
            output.seek(0)
            text = output.read().decode("utf-8", "replace")
        answer = json.dumps({"status": status, "output": text})
        os.write(answers, f"{answer}\n".encode())


def _fork(request: dict[str, Any], output: int) -> int:
    """Run one script in a child; returns its status."""
    number = os.fork()
    if not number:
        _run(request, output)
    _, status = os.waitpid(number, 0)
    return os.waitstatus_to_exitcode(status)


def _run(request: dict[str, Any], output: int) -> None:
    """Run the script in this process, and end it."""
    for stream in (1, 2):
        os.dup2(output, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    journal = os.open(str(request["journal"]), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        child.main([str(journal), *request["command"]])
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    sys.stdout.flush()
    sys.stderr.flush()
    LEAVE(code)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
