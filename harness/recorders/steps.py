"""Records every train step from inside the graph, into variables that are read once at the end.

The recorder replaces `apply`, `scale_loss` and `_clip_gradients` on this one optimizer instance
and wraps this one step; nothing is patched for anybody else. A row counts only once the step's
loss is there, so that a step which finds its iterator empty leaves none.
"""

from __future__ import annotations

import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import tensorflow as tf

from harness.pipeline.optimizer import inner_optimizer
from harness.pipeline.values import read_value
from harness.recorders.buffers import RowBuffers
from harness.recorders.columns import COUNTERS, MEASURES, step_columns
from harness.recorders.measures import first_input, half_square, read, spread
from harness.recorders.replicas import Frame, merged
from harness.recorders.samples import Fingerprint
from harness.recorders.variables import (
    describe_state,
    describe_trainable,
    flatten,
    state_variables,
    widest,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.pipeline.observer import Step
    from harness.pipeline.pipeline import TrainingPipeline
    from harness.recorders.streaming import Stream
    from harness.trace import VariableInfo
    from harness.trace.recording import Recording

__all__ = ["StepRecorder"]

_LARGEST_WHOLE_FLOAT32 = 2**24

_CLIPPINGS = ("clipnorm", "clipvalue", "global_clipnorm")


class _Current(threading.local):
    """The step that is being traced or run; each replica has a thread of its own."""

    frame: Frame | None = None


class _State(NamedTuple):
    """The variables under one optimizer, which is held so that no other gets its identity."""

    optimizer: Any
    variables: list[Any]
    described: tuple[VariableInfo, ...]


class StepRecorder:
    """Buffers of one compiled pipeline and the wrappers that fill them.

    Attributes:
        traces: How often the step was traced since `reset` (or, run eagerly, run).
        clips: Whether the optimizer clips gradients.
    """

    def __init__(
        self,
        recording: Recording,
        *,
        capacity: int,
        batch_size: int,
        stream: Stream | None = None,
    ) -> None:
        """Nothing is allocated before the pipeline is known.

        Args:
            recording: What to keep.
            capacity: Most steps that a run can have.
            batch_size: Most examples in a batch; 0 where there are no batches.
            stream: Gets each step as soon as it is done.
        """
        self._stream = stream
        self._recording = recording
        self._capacity = capacity
        self._batch_size = batch_size
        self._current = _Current()
        self._fingerprint: Fingerprint | None = None
        self._buffers: RowBuffers | None = None
        self._without_gradient: set[int] = set()
        self._states: dict[int, _State] = {}
        self.traces = 0
        self.clips = False

    def watch(self, step: Step, pipeline: TrainingPipeline) -> Step:
        """The step to run instead: the same, and recorded.

        A pipeline that changes its optimizer on the way has one step for each, and one recording.
        """
        self._pipeline = pipeline
        if self._buffers is not None:
            self._go_on()
        if not self._recording.norms:
            return step
        if self._buffers is None:
            self._allocate()
        self._hook(pipeline.optimizer)

        def recorded(batch: Any) -> Any:
            frame = Frame(inputs=first_input(batch))
            self._current.frame = frame
            try:
                logs = step(batch)
                self._finish(frame)
            finally:
                self._current.frame = None
            return logs

        return recorded

    @property
    def _state(self) -> _State:
        """The variables, those of the optimizer that is in use among them."""
        optimizer = self._pipeline.optimizer
        if id(optimizer) not in self._states:
            # With the optimizer, so that no other one is ever found under its identity.
            variables = state_variables(self._pipeline)
            described = describe_state(self._pipeline, variables)
            self._states[id(optimizer)] = _State(optimizer, variables, described)
        return self._states[id(optimizer)]

    @property
    def state(self) -> tuple[VariableInfo, ...]:
        """What the columns of the state are."""
        return self._state.described

    @cached_property
    def trainable(self) -> tuple[VariableInfo, ...]:
        """What the columns of the gradients are."""
        return describe_trainable(self._pipeline)

    @property
    def without_gradient(self) -> tuple[str, ...]:
        """Paths of trainable variables that had no gradient in any step."""
        trainable = self.trainable
        return tuple(trainable[index].path for index in sorted(self._without_gradient))

    def rows(self) -> int:
        """Steps recorded so far."""
        return 0 if self._buffers is None else self._buffers.rows

    def reset(self) -> None:
        """Forget all rows."""
        self.traces = 0
        if self._stream is not None:
            self._stream.sent = 0
        if self._buffers is not None:
            self._buffers.reset()

    def send(self) -> None:
        """Send every step that is done and has not been sent."""
        if self._stream is not None and self._buffers is not None:
            for row in self._buffers.read_rows("measures", self._stream.sent):
                self._send_row(row)

    def _send_row(self, row: NDArray[Any]) -> None:
        if self._stream is not None:
            self._stream.send(self.columns({"measures": np.asarray(row)[None]}))

    def rewind(self, rows: int) -> None:
        """Forget all rows but the first so many."""
        if self._stream is not None:
            self._stream.rewind(rows)
        if self._buffers is not None:
            self._buffers.rewind(rows)

    def read_state(self) -> NDArray[np.float64]:
        """All variables now, as one row."""
        variables = self._state.variables
        values = [np.asarray(read_value(variable), np.float64).ravel() for variable in variables]
        return np.concatenate(values) if values else np.zeros(0)

    def read(self) -> dict[str, NDArray[Any]]:
        """Everything recorded: one array per table, one row per step.

        Raises:
            PipelineError: There were more steps than rows.
        """
        return {} if self._buffers is None else self._buffers.read()

    def columns(self, tables: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Columns of the step table out of what `read` returned, one array of length n each."""
        if not tables:
            return {}
        return step_columns(
            tables,
            self._measures,
            final_count=lambda: int(read_value(self._pipeline.optimizer.iterations)),
            sizes=[variable.size for variable in self.trainable],
            without_gradient=sorted(self._without_gradient),
        )

    def look_up(self, fingerprints: NDArray[np.int64], inputs: NDArray[Any]) -> NDArray[np.int64]:
        """Indices of the examples with these fingerprints."""
        fingerprint = self._fingerprint or Fingerprint(int(np.prod(inputs.shape[1:])))
        return fingerprint.look_up(fingerprints, inputs)

    def _go_on(self) -> None:
        """Another model or optimizer takes over: its rows must fit into the same tables."""
        now = self._state
        first = next(iter(self._states.values()))
        shapes = [[tuple(variable.shape) for variable in state.variables] for state in (first, now)]
        if shapes[0] != shapes[1]:
            # What was recorded until now stays readable.
            self._states[id(now.optimizer)] = first._replace(optimizer=now.optimizer)
            message = (
                f"what goes on must have the variables of what went before, which are "
                f"{shapes[0]}, got {shapes[1]}"
            )
            raise RuntimeError(message)
        self.__dict__.pop("trainable", None)

    def _finish(self, frame: Frame) -> None:
        """The step is done: write its row, once for all replicas."""
        if not frame.applied:
            # Nothing is trainable, or the user's own step updated nothing: a step all the same.
            self._before(frame, [None] * len(self._pipeline.trainable))
            self._after(frame)
        if self._pipeline.replicas == 1:
            self.traces += 1
            self._write(frame)
            return
        tf.distribute.get_replica_context().merge_call(self._write_replicas, args=(frame,))

    def _write_replicas(self, strategy: Any, frames: Any) -> None:
        """Called once, when every replica has come to the end of its step."""
        self.traces += 1
        self._write(merged(strategy.experimental_local_results(frames)))

    def _allocate(self) -> None:
        optimizer = self._pipeline.optimizer
        inner = inner_optimizer(optimizer)
        alone = self._pipeline.replicas == 1
        # Where several replicas clip, no single thing is what was clipped.
        self.clips = alone and any(getattr(inner, name, None) for name in _CLIPPINGS)
        scales = hasattr(optimizer, "dynamic_scale") or bool(
            getattr(inner, "loss_scale_factor", None)
        )
        recording = self._recording
        # What samples and state mean depends on the size of the batch and on the count.
        counters = recording.counters or recording.samples or recording.state
        kept = {
            **dict.fromkeys(COUNTERS, counters),
            "iterations_after": recording.state or (counters and self._stream is not None),
            "clipped_norm": self.clips,
            "loss_scale": scales,
        }
        self._measures = tuple(name for name in MEASURES if kept.get(name, True))
        self._dtype = widest(self._pipeline.trainable)
        if int(optimizer.iterations.numpy()) + self._capacity > _LARGEST_WHOLE_FLOAT32:
            self._dtype = "float64"
        parameters = sum(variable.size for variable in self.trainable)
        columns = {"measures": (len(self._measures), self._dtype)}
        if self._pipeline.gradients_vary:
            columns["missing"] = (len(self._pipeline.trainable), "int64")
        if self._recording.gradients:
            columns["raw"] = (parameters, "float64")
            if self.clips:
                columns["clipped"] = (parameters, "float64")
        if self._recording.state:
            width = sum(variable.size for variable in self.state)
            columns |= {"before": (width, "float64"), "after": (width, "float64")}
            if not alone:
                columns["apart"] = (width, "float64")
        if self._recording.samples and self._batch_size:
            columns["samples"] = (self._batch_size, "int64")
        self._buffers = RowBuffers(self._capacity, columns)
        if self.clips:
            self._clipped_norm = tf.Variable(np.nan, dtype="float64", trainable=False)
            self._clipped = tf.Variable(np.full(parameters, np.nan), trainable=False)

    def _hook(self, optimizer: Any) -> None:
        apply, scale_loss = optimizer.apply, optimizer.scale_loss

        def watched_scale_loss(loss: Any) -> Any:
            frame = self._current.frame
            if frame is not None and frame.loss is None:
                frame.loss = loss
            return scale_loss(loss)

        def watched_apply(gradients: Any, trainable_variables: Any = None) -> None:
            frame = self._current.frame
            if frame is None:
                apply(gradients, trainable_variables)
                return
            self._before(frame, gradients)
            apply(gradients, trainable_variables)
            self._after(frame)

        optimizer.scale_loss = watched_scale_loss
        optimizer.apply = watched_apply
        if self.clips:
            inner = inner_optimizer(optimizer)
            clip = inner._clip_gradients  # noqa: SLF001 - the only place that sees them clipped
            inner._clip_gradients = lambda gradients: self._keep_clipped(clip(gradients))  # noqa: SLF001

    def _before(self, frame: Frame, gradients: Any) -> None:
        optimizer = self._pipeline.optimizer
        inner = inner_optimizer(optimizer)
        frame.gradients = [
            None if gradient is None else tf.convert_to_tensor(gradient) for gradient in gradients
        ]
        if not self._pipeline.gradients_vary:
            self._without_gradient.update(
                index for index, gradient in enumerate(frame.gradients) if gradient is None
            )
        if hasattr(optimizer, "dynamic_scale"):
            frame.scale = read(optimizer.dynamic_scale)
        else:
            frame.scale = getattr(inner, "loss_scale_factor", None)
        frame.iterations_before = read(optimizer.iterations)
        # A MultiOptimizer has none of its own.
        frame.learning_rate = read(getattr(inner, "learning_rate", np.nan))
        if self.clips:
            self._clipped_norm.assign(np.nan)
            if self._recording.gradients:
                missing = tf.constant(np.nan, "float64")
                self._clipped.assign(tf.fill(self._clipped.shape, missing))
        if self._recording.state:
            frame.before = flatten([read(variable) for variable in self._state.variables])

    def _after(self, frame: Frame) -> None:
        frame.applied = True
        if self._recording.state or self._stream is not None:
            frame.iterations_after = read(self._pipeline.optimizer.iterations)
        if self._recording.state:
            frame.after = flatten([read(variable) for variable in self._state.variables])

    def _keep_clipped(self, gradients: Any) -> Any:
        """Called where gradients are clipped, which may be inside a branch of the graph."""
        frame = self._current.frame
        if frame is not None:
            tensors = [tf.convert_to_tensor(gradient) for gradient in gradients]
            self._clipped_norm.assign(tf.sqrt(2.0 * half_square(tensors, "float64")))
            if self._recording.gradients:
                self._clipped.assign(self._row_of(spread(tensors, frame.gradients)))
        return gradients

    def _row_of(self, gradients: list[Any]) -> Any:
        """All gradients as one row; NaN where a variable has none."""
        sizes = [variable.size for variable in self.trainable]
        missing = tf.constant(np.nan, "float64")
        return flatten(
            [
                tf.fill([size], missing) if gradient is None else gradient
                for gradient, size in zip(gradients, sizes, strict=True)
            ]
        )

    def _write(self, frame: Frame) -> None:
        if self._buffers is None:
            return
        inputs = frame.inputs
        # The same int32 shape and cast as in Keras' own step: the graph optimizer merges them.
        size = 0 if inputs is None else tf.shape(inputs)[0]
        scale = 1.0 if frame.scale is None else tf.cast(frame.scale, "float64")
        present = [gradient for gradient in frame.gradients if gradient is not None]
        values = {
            "loss": np.nan if inputs is None or frame.loss is None else frame.loss,
            "learning_rate": frame.learning_rate,
            "half_square": half_square(present, self._dtype),
            "iterations_before": frame.iterations_before,
            "iterations_after": frame.iterations_after,
            "batch_size": size,
            "clipped_norm": self._clipped_norm.read_value() if self.clips else np.nan,
            "loss_scale": scale,
        }
        measures = tf.stack([tf.cast(values[name], self._dtype) for name in self._measures])
        row = {"measures": measures}
        if "missing" in self._buffers:
            row["missing"] = tf.constant([int(g is None) for g in frame.gradients], "int64")
        if "raw" in self._buffers:
            row["raw"] = self._row_of(frame.gradients) / scale
        if "clipped" in self._buffers:
            row["clipped"] = self._clipped.read_value()
        if "before" in self._buffers:
            row |= {"before": frame.before, "after": frame.after}
        if "apart" in self._buffers:
            row["apart"] = frame.apart
        if "samples" in self._buffers and inputs is not None:
            if self._fingerprint is None:
                self._fingerprint = Fingerprint(int(np.prod(inputs.shape[1:])))
            row["samples"] = self._fingerprint.of_tensor(inputs, self._batch_size)
        self._buffers.write(row, after=row["measures"])
        if self._stream is not None and self._stream.in_graph:
            tf.numpy_function(self._send_row, [measures], [])
