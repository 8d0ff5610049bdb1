"""Watches train steps and updates: of `fit`, of `train_on_batch` and of the user's own loop."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from harness.diagnosis.observing.lanes import MEASURES, Lane, Measured, pack_rows
from harness.diagnosis.observing.places import user_place
from harness.diagnosis.observing.wrapping import wrap
from harness.recorders.measures import first_input

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.diagnosis.observing.notes import Notes

__all__ = ["StepWatch"]


class _Current(threading.local):
    """What this thread is in the middle of."""

    step: Measured | None = None
    applying: bool = False
    size: Any = None
    unscaled: tuple[Any, Any] = (None, None)

    def __init__(self) -> None:
        self.targets: list[tuple[int, Any]] = []
        """Identity of a first gradient, and the loss that it is the gradient of."""

    def loss_of(self, gradients: list[Any]) -> Any:
        """The loss behind these gradients; of several that wait, only the one that fits."""
        first = _first_identity(gradients)
        waiting, self.targets = self.targets, []
        for index, (identity, target) in enumerate(waiting):
            if identity == first:
                self.targets = waiting[:index] + waiting[index + 1 :]
                return target
        return waiting[0][1] if len(waiting) == 1 else None

    def computed(self, gradients: Any, target: Any) -> None:
        """Gradients of a loss have been computed; who applies none must not make us hoard."""
        found = gradients if isinstance(gradients, list | tuple) else [gradients]
        self.targets = [*self.targets[-3:], (_first_identity(found), target)]


class StepWatch:
    """One lane per optimizer; a row per train step, or per update outside of one.

    Attributes:
        lanes: In the order of first use.
        replicated: Whether something was trained on several replicas, which leaves no rows.
    """

    def __init__(self, notes: Notes) -> None:
        """Wrap nothing yet."""
        self._notes = notes
        self._current = _Current()
        self._lock = threading.RLock()
        self._by_optimizer: dict[int, Lane] = {}
        self._watched_steps: set[type] = set()
        self.lanes: list[Lane] = []
        self.replicated = False
        self.traced: dict[int, int] = {}

    def install(self) -> None:
        """Wrap updates, tapes and losses, for all classes there are and will be."""
        from keras.src.optimizers.base_optimizer import BaseOptimizer

        for owner in (BaseOptimizer, keras.optimizers.LossScaleOptimizer):
            wrap(owner, "apply", self._apply)
            wrap(owner, "scale_loss", self._scale_loss)
        wrap(tf.GradientTape, "gradient", self._gradient)
        wrap(keras.losses.Loss, "__call__", self._loss)

    def watch_train_step(self, model: type) -> None:
        """Wrap the train steps that a class of models has or inherits, each once."""
        for owner in model.__mro__:
            if "train_step" in vars(owner) and owner not in self._watched_steps:
                self._watched_steps.add(owner)
                wrap(owner, "train_step", self._train_step)

    def lane_of(self, optimizer: Any) -> Lane | None:
        """The lane of an optimizer, if it has applied anything yet."""
        return self._by_optimizer.get(id(optimizer))

    def flush(self) -> int:
        """Write all rows that are not in the journal yet; returns how many."""
        count = 0
        with self._lock:
            for lane in list(self.lanes):
                try:
                    first, rows = lane.take()
                except (tf.errors.OpError, RuntimeError):
                    # The script may have reset the runtime: what was read stays.
                    continue
                if len(rows):
                    count += len(rows)
                    self._notes.write(
                        "rows", lane=lane.number, first=first, count=len(rows), data=pack_rows(rows)
                    )
        return count

    def _train_step(self, original: Callable[..., Any], model: Any, *args: Any, **kw: Any) -> Any:
        if self._current.step is not None or self._several():
            return original(model, *args, **kw)
        if not tf.executing_eagerly():
            self.traced[id(model)] = self.traced.get(id(model), 0) + 1
        step = Measured(graph=_graph())
        inputs = first_input(args[0]) if args else None
        if inputs is not None and getattr(inputs, "shape", None) is not None:
            step.size = _rows_of(inputs)
        self._current.step, self._current.targets = step, []
        try:
            result = original(model, *args, **kw)
            if step.lane is not None and step.after is not None:
                with self._notes.sparing("step"):
                    step.lane.write(step)
        finally:
            self._current.step = None
        return result

    def _apply(
        self,
        original: Callable[..., Any],
        optimizer: Any,
        grads: Any,
        trainable_variables: Any = None,
    ) -> Any:
        if self._current.applying or self._several():
            return original(optimizer, grads, trainable_variables)
        gradients = list(grads)
        variables = None if trainable_variables is None else list(trainable_variables)
        step = self._current.step or Measured(graph=_graph())
        lane = self._lane(optimizer, variables)
        measurable = lane is not None and step.graph is _graph() and step.lane is None
        self._current.applying = True
        try:
            if measurable and lane is not None:
                with self._notes.sparing("gradients"):
                    self._complete(step, gradients)
                    lane.before(step, gradients)
            result = original(optimizer, gradients, variables)
            if step.lane is lane and lane is not None:
                with self._notes.sparing("update"):
                    lane.after(step)
                    if self._current.step is None:
                        lane.write(step)
        finally:
            self._current.applying = False
            self._current.size = None
        return result

    def _complete(self, step: Measured, gradients: list[Any]) -> None:
        """Add what was seen on the way: the loss, and outside of train steps the batch."""
        target, size = self._current.loss_of(gradients), self._current.size
        if step.loss is None and target is not None and _reachable(target):
            step.loss = target
        if self._current.step is None:
            step.size = size if size is not None and _reachable(size) else None

    def _lane(self, optimizer: Any, variables: list[Any] | None) -> Lane | None:
        lane = self._by_optimizer.get(id(optimizer))
        if lane is None:
            known = variables or getattr(optimizer, "_trainable_variables", None)
            if not known:
                return None
            with self._lock:
                lane = Lane(len(self.lanes), optimizer, list(known))
                self.lanes.append(lane)
                # The lane holds the optimizer, so that its identity is never given away again.
                self._by_optimizer[id(optimizer)] = lane
            self._notes.write(
                "lane",
                lane=lane.number,
                optimizer=lane.kind,
                measures=MEASURES,
                paths=lane.paths[: lane.columns],
                place=user_place(sys._getframe(1)),
            )
        if not tf.executing_eagerly():
            lane.traces += 1
        return lane

    def _several(self) -> bool:
        """Whether this runs on several replicas, where a row would mix what belongs to each."""
        if not tf.distribute.has_strategy():
            return False
        several = bool(tf.distribute.get_strategy().num_replicas_in_sync > 1)
        self.replicated |= several
        return several

    def _scale_loss(self, original: Callable[..., Any], optimizer: Any, loss: Any) -> Any:
        scaled = original(optimizer, loss)
        step = self._current.step
        if step is not None and step.loss is None and _reachable(loss):
            step.loss = loss
        elif step is None and scaled is not loss:
            self._current.unscaled = (scaled, loss)
        return scaled

    def _gradient(
        self, original: Callable[..., Any], tape: Any, target: Any, *args: Any, **kw: Any
    ) -> Any:
        result = original(tape, target, *args, **kw)
        if not self._current.applying and tf.is_tensor(target):
            scaled, loss = self._current.unscaled
            self._current.unscaled = (None, None)
            self._current.computed(result, loss if target is scaled else target)
        return result

    def _loss(
        self,
        original: Callable[..., Any],
        loss: Any,
        y_true: Any,
        y_pred: Any,
        *args: Any,
        **kw: Any,
    ) -> Any:
        if self._current.step is None and tf.is_tensor(y_pred):
            self._current.size = _rows_of(y_pred)
        return original(loss, y_true, y_pred, *args, **kw)


def _first_identity(gradients: Any) -> int:
    return next((id(gradient) for gradient in gradients if gradient is not None), 0)


def _graph() -> Any:
    return None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()


def _rows_of(tensor: Any) -> Any:
    shape = tensor.shape
    if shape.rank == 0:
        return None
    return tf.shape(tensor)[0] if shape.rank is None or shape[0] is None else shape[0]


def _reachable(value: Any) -> bool:
    """Whether a tensor can be used here: it is eager, or of this graph or one around it."""
    if not tf.is_tensor(value) or not hasattr(value, "graph"):
        return True
    if tf.executing_eagerly():
        return not tf.is_symbolic_tensor(value)
    if not tf.is_symbolic_tensor(value):
        return True
    graph = _graph()
    while graph is not None:
        if value.graph is graph:
            return True
        graph = getattr(graph, "outer_graph", None)
    return False
