"""What a figure depends on beside the code: machine, driver, versions, settings.

Coarse on purpose. Whatever changes here starts new series, so that host names, kernel releases and
free memory stay out: they change often and explain little. Versions of packages are taken from
what is installed, since importing TensorFlow to ask it costs seconds; a module that is loaded
already speaks for itself.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections import Counter
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Final

from harness.history.measurement import EnvironmentKey

__all__ = ["SETTINGS", "surroundings"]

SETTINGS: Final = (
    "CUDA_VISIBLE_DEVICES",
    "KERAS_BACKEND",
    "MKL_NUM_THREADS",
    "NVIDIA_TF32_OVERRIDE",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_CUDNN_DETERMINISTIC",
    "TF_DETERMINISTIC_OPS",
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_GPU_ALLOCATOR",
    "TF_GPU_THREAD_MODE",
    "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_XLA_FLAGS",
    "XLA_FLAGS",
)
"""Environment variables that change speed, memory or bits: threads, precision, compilation."""

_PACKAGES: Final = {
    "keras": ("keras",),
    "numpy": ("numpy",),
    "tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-intel", "tf-nightly"),
    "jax": ("jax",),
    "torch": ("torch",),
}
"""By module, the distributions that may have brought it."""

_BACKENDS: Final = frozenset({"tensorflow", "jax", "torch"})
_QUERY_SECONDS: Final = 20
_NVIDIA: Final = Path("/proc/driver/nvidia")


def surroundings() -> EnvironmentKey:
    """Where this process measures."""
    values = {
        "system": platform.system(),
        "machine": platform.machine(),
        "cpu": _processor(),
        "cores": str(_cores()),
        "python": ".".join(platform.python_version_tuple()[:2]),
    }
    gpu, driver = _graphics()
    values |= {"gpu": gpu, "driver": driver} if gpu else {}
    values |= _versions()
    values |= {name: os.environ[name] for name in SETTINGS if os.environ.get(name)}
    return EnvironmentKey(values=values)


def _versions() -> dict[str, str]:
    """Versions of Keras, NumPy, and the backend; other backends that lie about do not matter."""
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    found = {}
    for module, distributions in _PACKAGES.items():
        if module in _BACKENDS and module != backend:
            continue
        version = _version(module, distributions)
        if version is not None:
            found[module] = version
    return found


def _version(module: str, distributions: tuple[str, ...]) -> str | None:
    loaded = getattr(sys.modules.get(module), "__version__", None)
    if isinstance(loaded, str):
        return loaded
    for distribution in distributions:
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return None


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def _processor() -> str:
    """The processor's own name where the system tells it, else its architecture."""
    table = Path("/proc/cpuinfo")
    if table.exists():
        for line in table.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


@cache
def _graphics() -> tuple[str, str]:
    """Models of the graphics processors, such as ``2 x NVIDIA H200``, and version of the driver.

    Both are empty where there is none. The driver's own files are asked first; its program
    takes a second.
    """
    models = [_model(file) for file in sorted(_NVIDIA.glob("gpus/*/information"))]
    version = _NVIDIA / "version"
    if models and version.exists():
        words = version.read_text(encoding="utf-8", errors="replace").split()
        numbers = [word for word in words if word[0].isdigit() and "." in word]
        return _counted(models), numbers[0] if numbers else ""
    return _asked_of_the_program()


def _model(file: Path) -> str:
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("Model:"):
            return line.split(":", 1)[1].strip()
    return "unknown"


def _asked_of_the_program() -> tuple[str, str]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return "", ""
    query = [program, "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        result = subprocess.run(  # noqa: S603 - a constant command
            query, capture_output=True, text=True, check=True, timeout=_QUERY_SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return "", ""
    rows = [line.rsplit(",", 1) for line in result.stdout.splitlines() if "," in line]
    if not rows:
        return "", ""
    return _counted([name.strip() for name, _ in rows]), rows[0][1].strip()


def _counted(models: list[str]) -> str:
    counts = sorted(Counter(models).items())
    return ", ".join(name if count == 1 else f"{count} x {name}" for name, count in counts)
