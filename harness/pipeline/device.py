"""The device that Keras computes on: its name, its memory, and waiting until it is done."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from harness.pipeline.backend import backend_name, import_tensorflow

__all__ = ["Device", "bytes_in_use", "device", "peak_bytes", "reset_peak", "synchronise"]

_GPU_PLATFORMS = ("cuda", "gpu", "rocm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What the backend computes on when nobody says otherwise.

    Attributes:
        kind: ``gpu``, or ``cpu`` for everything else.
        name: As its driver calls it; empty where it is the processor.
        count: Devices of that kind.
    """

    kind: str
    name: str
    count: int


def device() -> Device:
    """The first GPU that the backend sees, else the processor."""
    match backend_name():
        case "tensorflow":
            return _tensorflow_device()
        case "jax":
            found = importlib.import_module("jax").devices()
            if found[0].platform in _GPU_PLATFORMS:
                return Device(kind="gpu", name=str(found[0].device_kind), count=len(found))
        case "torch":
            cuda = importlib.import_module("torch").cuda
            if cuda.is_available():
                return Device(kind="gpu", name=cuda.get_device_name(0), count=cuda.device_count())
    return Device(kind="cpu", name="", count=1)


def _tensorflow_device() -> Device:
    config = import_tensorflow().config
    found = config.list_physical_devices("GPU")
    if not found:
        return Device(kind="cpu", name="", count=1)
    details = config.experimental.get_device_details(found[0])
    return Device(kind="gpu", name=str(details.get("device_name", "GPU")), count=len(found))


def synchronise(value: Any = None) -> None:
    """Wait until everything that was asked of the device is done.

    Args:
        value: The results of the last step. JAX has no queue that could be waited for: there the
            step is done when these are.
    """
    match backend_name():
        case "tensorflow":
            # On a processor a call returns when its graph has run.
            if _tensorflow_device().kind == "gpu":
                import_tensorflow().test.experimental.sync_devices()
        case "jax":
            importlib.import_module("jax").block_until_ready(value)
        case "torch":
            cuda = importlib.import_module("torch").cuda
            if cuda.is_available():
                cuda.synchronize()


def reset_peak() -> None:
    """Let the device's high-water mark of memory start anew, where it keeps one."""
    if device().kind != "gpu":
        return
    match backend_name():
        case "tensorflow":
            import_tensorflow().config.experimental.reset_memory_stats("GPU:0")
        case "torch":
            importlib.import_module("torch").cuda.reset_peak_memory_stats()


def peak_bytes() -> int | None:
    """Most memory of the device that was in use since `reset_peak`; None where nobody counts.

    JAX has no reset: there it is the most since the process began.
    """
    return _memory("peak")


def bytes_in_use() -> int | None:
    """Memory of the device in use now; None where nobody counts."""
    return _memory("current")


def _memory(which: str) -> int | None:
    if device().kind != "gpu":
        return None
    match backend_name():
        case "tensorflow":
            return int(import_tensorflow().config.experimental.get_memory_info("GPU:0")[which])
        case "torch":
            cuda = importlib.import_module("torch").cuda
            read = cuda.max_memory_allocated if which == "peak" else cuda.memory_allocated
            return int(read())
        case "jax":
            statistics = importlib.import_module("jax").devices()[0].memory_stats() or {}
            value = statistics.get("peak_bytes_in_use" if which == "peak" else "bytes_in_use")
            return None if value is None else int(value)
    return None
