"""Judges one candidate of a bisection: a scenario in its environment, or the user's own command."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import harness
from harness.comparison.children import ask, check_versions, last_lines, process, shown_path
from harness.comparison.commands import EnvironmentBroken
from harness.comparison.verdicts import Finding, Mark
from harness.errors import HarnessUsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.comparison.cache import Cache
    from harness.comparison.preparing import Prepared
    from harness.comparison.verdicts import Probe

__all__ = ["CommandTrial", "ScenarioTrial", "Trial", "uses_own_code"]

_JUDGE: Final = "harness.comparison.judging"
_SKIP_STATUS: Final = 125
_LAST_BAD_STATUS: Final = 127
_COMMAND: Final = "command"
_SETTINGS: Final = ("CUDA_", "KERAS_", "OMP_", "PYTHONPATH", "TF_", "XLA_")
"""What these variables say changes what is trained."""


class Trial(Protocol):
    """What judges a candidate."""

    def judge(self, prepared: Prepared, probes: Sequence[Probe]) -> tuple[Finding, ...]:
        """What this environment makes of the items; of all there are, where none is named.

        Raises:
            EnvironmentBroken: Nothing can be said about this environment.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioTrial:
    """Judges a scenario file.

    Attributes:
        file: The scenario.
        profile: How much is drawn.
        timeout: Seconds for one environment; None for no end.
        cache: Where verdicts are kept; None asks again every time.
    """

    file: Path
    profile: str = "quick"
    timeout: float | None = None
    cache: Cache | None = None

    def judge(self, prepared: Prepared, probes: Sequence[Probe]) -> tuple[Finding, ...]:
        """What this environment makes of the scenario's items."""
        request = {
            "scenario": shown_path(prepared, self.file),
            "profile": self.profile,
            "probes": [asdict(probe) for probe in probes],
            "packages": sorted(prepared.expected),
        }
        name = self._name(prepared, request)
        kept = self.cache.read(name) if self.cache is not None else None
        answer: dict[str, Any] = {}
        if kept is not None:
            answer = json.loads(kept)
        else:
            answer = ask(prepared, _JUDGE, request, self.timeout)
            check_versions(prepared, answer.get("versions", {}))
            if self.cache is not None:
                self.cache.write(name, json.dumps(answer))
        if "missing" in answer:
            raise EnvironmentBroken(answer["missing"])
        return tuple(map(Finding.from_json, answer["findings"]))

    def _name(self, prepared: Prepared, request: dict[str, Any]) -> str:
        """A verdict depends on the environment, the scenario's text, and the harness itself."""
        settings = {name: value for name, value in os.environ.items() if name.startswith(_SETTINGS)}
        scenario = self.file.read_text(encoding="utf-8")
        text = json.dumps(
            [prepared.identity, scenario, request, settings, _own_digest()], sort_keys=True
        )
        return f"verdicts/{hashlib.sha256(text.encode()).hexdigest()[:24]}.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandTrial:
    """Runs a command, and reads its exit status as ``git bisect run`` does.

    0 is good, 125 says nothing, everything else up to 127 is bad.

    Attributes:
        command: Handed to the shell.
        timeout: Seconds for one environment; None for no end.
    """

    command: str
    timeout: float | None = None

    def judge(self, prepared: Prepared, probes: Sequence[Probe]) -> tuple[Finding, ...]:  # noqa: ARG002
        """What the command says in this environment; there is nothing to choose from.

        Raises:
            EnvironmentBroken: It took too long.
            HarnessUsageError: It was ended by a signal, or its status is beyond 127.
        """
        with tempfile.TemporaryDirectory(prefix="harness-") as folder:
            log = Path(folder) / "log"
            with (
                log.open("wb") as output,
                process(
                    prepared,
                    ["-c", _SHELL, self.command],
                    Path(folder),
                    stdout=output,
                    stderr=output,
                ) as child,
            ):
                try:
                    status = child.wait(self.timeout)
                except subprocess.TimeoutExpired as error:
                    message = f"it must end in {self.timeout:g} s, got nothing."
                    raise EnvironmentBroken(message) from error
            text = last_lines(log)
        if status == _SKIP_STATUS:
            mark = Mark.SKIP
        elif 0 <= status <= _LAST_BAD_STATUS:
            mark = Mark.GOOD if status == 0 else Mark.BAD
        else:
            message = (
                f"the command must end with a status up to {_LAST_BAD_STATUS}, got {status} on "
                f"{prepared.name}. A status beyond that stops a bisection, as with git bisect run."
            )
            raise HarnessUsageError(message)
        reason = f"the command ended with status {status}"
        return (Finding(item=_COMMAND, mark=mark, reason=reason, text=text),)


_SHELL: Final = (
    "import subprocess, sys; "
    "sys.exit(subprocess.call(sys.argv[1], shell=True, stdin=subprocess.DEVNULL) % 256)"
)
"""The environment's own Python starts the shell, so that one way of starting serves all."""


def uses_own_code(file: Path) -> bool:
    """Whether a scenario names code that its text alone does not fix."""
    return "import" in file.read_text(encoding="utf-8")


def _own_digest() -> str:
    """Changes with any module of the harness."""
    digest = hashlib.sha256()
    package = Path(harness.__file__).parent
    for file in sorted(package.rglob("*.py")):
        digest.update(file.relative_to(package).as_posix().encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()
