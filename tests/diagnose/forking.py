"""A server that has imported Keras and forks once a script; importing it again costs seconds.

It reads one JSON object a line, runs it in a child that is observed as the real one is, and answers
with the child's status and what it wrote.
"""

import json
import os
import sys
import tempfile

import keras  # noqa: F401 - what the children need not import again
import tensorflow  # noqa: F401

from harness.diagnosis import child
from harness.diagnosis.observing import fits, observer, steps, validation  # noqa: F401


def serve() -> None:
    """Answer until the input ends."""
    for line in sys.stdin:
        request = json.loads(line)
        with tempfile.TemporaryFile() as output:
            status = _fork(request, output.fileno())
            output.seek(0)
            text = output.read().decode("utf-8", "replace")
        answer = json.dumps({"status": status, "output": text})
        os.write(3, f"{answer}\n".encode())


def _fork(request: dict[str, object], output: int) -> int:
    number = os.fork()
    if number:
        _, status = os.waitpid(number, 0)
        return os.waitstatus_to_exitcode(status)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    journal = os.open(str(request["journal"]), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        child.main([str(journal), *map(str, request["command"])])  # type: ignore[call-overload]
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    serve()
