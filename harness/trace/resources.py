"""What a run cost, and what it left behind."""

from dataclasses import dataclass

from harness.trace._record import Record, assign, number, optional_whole, whole


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResourceRecord(Record):
    """Time and memory of one run.

    Attributes:
        wall_seconds: From the first to the last moment of training.
        peak_rss_bytes: Largest resident memory of the process during it.
        start_rss_bytes: Resident memory when it began.
        peak_method: How the peak was found: ``sampled``, ``VmHWM``, ...
        peak_device_bytes: Most memory of the GPU in use during training; None without a GPU.
        traces: How often the train step was traced; None where that was not counted.
        left_behind: Threads, open files and child processes that were there after the loop and not
            before, such as ``thread Thread (worker)``; None where nobody looked.

    Raises:
        HarnessUsageError: A value is no number, or a count is negative.
    """

    wall_seconds: float
    peak_rss_bytes: int
    start_rss_bytes: int
    peak_method: str
    peak_device_bytes: int | None = None
    traces: int | None = None
    left_behind: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Convert the numbers."""
        assign(
            self,
            wall_seconds=number("wall_seconds", self.wall_seconds),
            peak_rss_bytes=whole("peak_rss_bytes", self.peak_rss_bytes, minimum=0),
            start_rss_bytes=whole("start_rss_bytes", self.start_rss_bytes, minimum=0),
            peak_device_bytes=optional_whole("peak_device_bytes", self.peak_device_bytes),
            traces=optional_whole("traces", self.traces),
            left_behind=None if self.left_behind is None else tuple(map(str, self.left_behind)),
        )
