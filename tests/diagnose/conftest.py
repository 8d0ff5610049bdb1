"""What the tests of the diagnosis share: one server that forks, and a script's diagnosis."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.diagnosis.finding import Diagnosis
from harness.diagnosis.judging import diagnose
from harness.diagnosis.reading import read_script
from harness.trace.journal import parse_journal

HERE = Path(__file__).parent
Observe = Callable[[Path], tuple[Diagnosis, str]]


@pytest.fixture(scope="session")
def server() -> Iterator[Callable[[dict[str, object]], dict[str, object]]]:
    """Runs scripts in children that are forked from a process that has imported Keras."""
    reading, writing = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-m", "tests.diagnose.forking", str(writing)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=HERE.parents[1],
        pass_fds=(writing,),
        text=True,
    ) as process:
        os.close(writing)

        def ask(request: dict[str, object]) -> dict[str, object]:
            assert process.stdin is not None
            process.stdin.write(f"{json.dumps(request)}\n")
            process.stdin.flush()
            line = answers.readline()
            assert line, "the server has died"
            answer: dict[str, object] = json.loads(line)
            return answer

        with os.fdopen(reading, encoding="utf-8") as answers:
            yield ask
            assert process.stdin is not None
            process.stdin.close()


@pytest.fixture
def observe(server: Callable[[dict[str, object]], dict[str, object]], tmp_path: Path) -> Observe:
    """Diagnoses a script in a forked child; returns the diagnosis and what the script wrote."""

    def run(script: Path) -> tuple[Diagnosis, str]:
        journal = tmp_path / "journal"
        shown = str(script.relative_to(HERE.parents[1]))
        answer = server({"journal": str(journal), "command": [shown]})
        status = answer["status"]
        assert isinstance(status, int)
        seen = read_script(parse_journal(journal.read_bytes()), [shown], status=status)
        return diagnose(seen), str(answer["output"])

    return run
