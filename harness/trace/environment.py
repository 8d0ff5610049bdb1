"""Where a run took place: what must be equal for two runs to be compared bit for bit."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.trace._record import Record, assign, frozen_texts, items_of, whole


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Environment(Record):
    """Versions, machine and settings of one run.

    Attributes:
        python: Version of Python: ``3.13.1``.
        platform: Operating system and architecture: ``Linux-x86_64``.
        cpu: Model name of the processor.
        cores: Cores the process may use.
        keras: Version of Keras.
        backend: Backend of Keras: ``tensorflow``.
        backend_version: Version of the backend.
        numpy: Version of NumPy.
        settings: Whatever else changes bits: thread counts, op determinism, device, ...
    """

    python: str
    platform: str
    cpu: str
    cores: int
    keras: str
    backend: str
    backend_version: str
    numpy: str
    settings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Convert the count and freeze the settings."""
        assign(
            self,
            cores=whole("cores", self.cores, minimum=0),
            settings=frozen_texts(self.settings),
        )

    def digest(self) -> str:
        """Return 12 hexadecimal digits that are equal for equal environments, in any process."""
        values = dict(items_of(self)) | {"settings": dict(self.settings)}
        text = json.dumps(values, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode("ascii")).hexdigest()[:12]
