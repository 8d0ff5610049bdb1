"""Finds Keras, says clearly what to install when there is none, and which versions are there."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import platform
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import MissingBackendError
from harness.spec.distribution import LOGICAL_DEVICES
from harness.trace import Environment

if TYPE_CHECKING:
    from types import ModuleType

__all__ = [
    "backend_name",
    "cannot_observe",
    "environment",
    "import_keras",
    "import_tensorflow",
    "installed_versions",
    "loaded_versions",
]

_INSTALL = (
    'Install one with `pip install "pytest-training-harness[cpu]"` (or `[gpu]`), '
    "or put your own build of TensorFlow and Keras 3 into this environment."
)
_SETTINGS = (
    "KERAS_BACKEND",
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_DETERMINISTIC_OPS",
    "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "OMP_NUM_THREADS",
    "XLA_FLAGS",
    "CUDA_VISIBLE_DEVICES",
)


def import_keras() -> ModuleType:
    """The keras module.

    Raises:
        MissingBackendError: Keras 3 or its backend is not installed, or does not import.
    """
    return _imported("keras")


def import_tensorflow() -> ModuleType:
    """The tensorflow module, for the loops that only TensorFlow has.

    Raises:
        MissingBackendError: TensorFlow is not installed, or does not import.
    """
    return _imported("tensorflow")


def backend_name() -> str:
    """What Keras computes with here: ``tensorflow``, ``jax``, ``torch``, ...

    Raises:
        MissingBackendError: Keras or its backend is not installed, or does not import.
    """
    name: str = import_keras().config.backend()
    if name == "tensorflow":
        import_tensorflow()
    return name


def cannot_observe() -> str | None:
    """Why trainings can't be watched, and so not be judged, with this backend; None if they can.

    Raises:
        MissingBackendError: Keras or its backend is not installed, or does not import.
    """
    name = backend_name()
    if name == "tensorflow":
        return None
    return (
        f"trainings are judged on the TensorFlow backend, and Keras runs on {name} here: the "
        "recorder works inside TensorFlow's graphs. [benchmark] tables are measured on any backend"
    )


@cache
def _split_processor(tensorflow: ModuleType) -> None:
    """Two logical CPU devices, for pipelines that are distributed; there is one moment for it.

    They share threads and memory. Measured on two cores: the same weights to the last bit, the
    same time per fit and the same resident memory as with one device.
    """
    devices = tensorflow.config.list_physical_devices("CPU")
    if not devices or tensorflow.config.get_logical_device_configuration(devices[0]) is not None:
        return
    logical = [tensorflow.config.LogicalDeviceConfiguration()] * LOGICAL_DEVICES
    # Somebody has used TensorFlow before: a pipeline that needs the second device will say so.
    with suppress(RuntimeError):
        tensorflow.config.set_logical_device_configuration(devices[0], logical)


_READY: dict[str, ModuleType] = {}


def _imported(name: str) -> ModuleType:
    # Asked for thirty times by a run of 4 ms.
    ready = _READY.get(name)
    if ready is not None and sys.modules.get(name) is ready:
        return ready
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        message = f"{name} must be importable to train anything, got {error}. {_INSTALL}"
        raise MissingBackendError(message) from error
    if name == "tensorflow":
        _split_processor(module)
    if name == "keras" and module.__version__.startswith("2."):
        message = f"keras must be version 3, got {module.__version__}. {_INSTALL}"
        raise MissingBackendError(message)
    _READY[name] = module
    return module


def installed_versions() -> dict[str, str]:
    """Versions of the packages that a known issue may be bound to.

    A module that is loaded speaks for itself, since an overlay on the path may be newer or older
    than the metadata that is installed.
    """
    _imported(import_keras().config.backend())
    return loaded_versions()


def loaded_versions() -> dict[str, str]:
    """The same where Keras has loaded its backend, without asking for any device."""
    keras = import_keras()
    backend = keras.config.backend()
    return {
        "keras": keras.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        backend: importlib.import_module(backend).__version__,
    }


@cache
def environment() -> Environment:
    """The fingerprint of where a run happens: machine, versions and settings that matter."""
    keras = import_keras()
    backend = keras.config.backend()
    return Environment(
        python=platform.python_version(),
        platform=f"{platform.system()}-{platform.machine()}",
        cpu=_cpu_model(),
        cores=os.cpu_count() or 1,
        keras=keras.__version__,
        backend=backend,
        backend_version=_imported(backend).__version__,
        numpy=np.__version__,
        settings={name: os.environ[name] for name in _SETTINGS if name in os.environ},
    )


def _cpu_model() -> str:
    """The processor's own name where the system tells it, else its architecture."""
    table = Path("/proc/cpuinfo")
    if table.exists():
        for line in table.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
