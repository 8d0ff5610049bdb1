"""How the training is run: the loop, its budget, the compile options and the precision."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from harness.spec.base import Count, Finite, Flag, Positive, PositiveCount, Real, Spec
from harness.spec.refit import EarlierFitSpec, InterruptSpec

SavedAs = Literal["model", "h5", "weights", "nothing"]


class FitSpec(Spec):
    """``model.fit``.

    Attributes:
        epochs: Index of the epoch that is not run any more.
        initial_epoch: Index of the first epoch.
        steps_per_epoch: Batches per epoch; None is until the data ends.
        class_weight: Weight of each integer class, by its index.
        class_weight_omits: Classes that Keras is given no weight for; they weigh 1.
        earlier_fit: A whole fit of the same model before this one.
        interrupt_after: Where this fit is broken off and carried on by a second call.
        save_and_load_after: After the epoch of this count the model is saved and loaded, and a
            second fit trains the rest; None trains in one fit.
        saved_as: ``model`` is a ``.keras`` file, ``h5`` an ``.h5`` file of the whole model;
            ``weights`` a ``.weights.h5`` file that is loaded into a model built and compiled anew;
            ``nothing`` only makes two fits of one.
    """

    kind: Literal["fit"] = "fit"
    epochs: PositiveCount = 1
    initial_epoch: Count = 0
    steps_per_epoch: PositiveCount | None = None
    class_weight: tuple[Finite, ...] | None = None
    class_weight_omits: tuple[Count, ...] = ()
    earlier_fit: EarlierFitSpec | None = None
    interrupt_after: InterruptSpec | None = None
    save_and_load_after: PositiveCount | None = None
    saved_as: SavedAs = "model"


class LoopSpec(Spec):
    """What the hand-written loops have in common: epochs over the data, or a step budget.

    Attributes:
        epochs: Passes over the data.
        steps_per_epoch: Batches per epoch; None is until the data ends.
        max_steps: Leave the loop when the optimizer's own count reaches this.
    """

    epochs: PositiveCount = 1
    steps_per_epoch: PositiveCount | None = None
    max_steps: PositiveCount | None = None


class TrainOnBatchSpec(LoopSpec):
    """A Python loop around ``model.train_on_batch``, which validates by ``model.test_on_batch``.

    Attributes:
        class_weight: Weight of each integer class, by its index.
        class_weight_omits: Classes that Keras is given no weight for; they weigh 1.
    """

    kind: Literal["train_on_batch"] = "train_on_batch"
    class_weight: tuple[Finite, ...] | None = None
    class_weight_omits: tuple[Count, ...] = ()


def given_class_weights(training: FitSpec | TrainOnBatchSpec) -> dict[int, float] | None:
    """What Keras is given as ``class_weight``: the weight of each class that is not left out."""
    if training.class_weight is None:
        return None
    weights = enumerate(training.class_weight)
    return {index: one for index, one in weights if index not in training.class_weight_omits}


class GradientTapeSpec(LoopSpec):
    """A Python loop around ``tf.GradientTape`` and ``optimizer.apply``.

    Attributes:
        compiled: The step is a ``tf.function``.
    """

    kind: Literal["gradient_tape"] = "gradient_tape"
    compiled: Flag = True


class WhileLoopSpec(Spec):
    """One ``tf.while_loop`` around the step; its own condition reads the optimizer's count.

    Attributes:
        max_steps: The condition: go on while ``iterations < max_steps``.
    """

    kind: Literal["while_loop"] = "while_loop"
    max_steps: PositiveCount


class LegacyGlobalStepSpec(LoopSpec):
    """``tf.compat.v1.train`` optimizers with ``apply_gradients(..., global_step=...)``."""

    kind: Literal["legacy_global_step"] = "legacy_global_step"


class ApplyGradientsSpec(Spec):
    """No model and no data: the real optimizer is driven with the gradients given here.

    Attributes:
        gradients: One row per step, all variables flattened one after the other.
        compiled: The step is a ``tf.function``.
        missing: For each step the indices of the variables that get no gradient, whatever their
            row says; steps beyond its end miss none.
        sparse: Indices of the variables whose gradient comes as ``tf.IndexedSlices`` of the rows
            that are not zero.
        repeated_ids: Each row of the slices stands there in two parts, to be added up.
        save_and_load_after: After so many steps save the optimizer and go on with a fresh one of
            the same configuration that has loaded what was saved.
    """

    kind: Literal["apply_gradients"] = "apply_gradients"
    gradients: Annotated[tuple[tuple[Real, ...], ...], Field(min_length=1)]
    compiled: Flag = True
    missing: tuple[tuple[Count, ...], ...] = ()
    sparse: tuple[Count, ...] = ()
    repeated_ids: Flag = True
    save_and_load_after: PositiveCount | None = None

    def missing_in(self, step: int) -> tuple[int, ...]:
        """Indices of the variables without gradient in one step, ascending."""
        return tuple(sorted(set(self.missing[step]))) if step < len(self.missing) else ()


class UpdateMetricsSpec(Spec):
    """Nothing is trained: drawn predictions are handed to the real loss and metrics.

    Attributes:
        epochs: Passes over the data; metrics are reset at the beginning of each.
        via: ``objects`` calls the loss and the metrics batch by batch; ``evaluate`` hands them to
            a model that returns its input; ``reloaded`` saves and loads that model first.
        compiled: Loss, gradient and updates are a ``tf.function``.
        loss: Compute the loss and its gradient too; false is for predictions that no loss reads.
    """

    kind: Literal["update_metrics"] = "update_metrics"
    epochs: PositiveCount = 2
    via: Literal["objects", "evaluate", "reloaded"] = "objects"
    compiled: Flag = False
    loss: Flag = True


AnyTraining = Annotated[
    FitSpec
    | TrainOnBatchSpec
    | GradientTapeSpec
    | WhileLoopSpec
    | LegacyGlobalStepSpec
    | ApplyGradientsSpec
    | UpdateMetricsSpec,
    Field(discriminator="kind"),
]


def _no_number(value: Any) -> Any:
    # A literal takes 1 for true, because they are equal.
    if isinstance(value, int | float) and not isinstance(value, bool):
        message = "be true, false or 'auto'"
        raise ValueError(message)  # noqa: TRY004 - what pydantic collects
    return value


class CompileSpec(Spec):
    """Arguments of ``model.compile`` beside optimizer, loss and metrics.

    Attributes:
        run_eagerly: Python instead of a graph.
        jit_compile: XLA; ``auto`` leaves it to Keras.
        steps_per_execution: Batches per call into the graph.
        loss_weights: One factor per output.
        by_name: Losses, their weights and metrics are handed over by the names of the outputs, in
            dictionaries, instead of in their order, in lists.
        compiled_before: The model was compiled once before, with another loss, another optimizer
            and a metric more, none of which is to be seen.
        auto_scale_loss: Under mixed_float16, wrap the optimizer in a LossScaleOptimizer.
        returns: What `evaluate`, `train_on_batch` and `test_on_batch` are asked to return; a list
            must hold what the dictionary does, in the order of losses and metrics here.
    """

    run_eagerly: Flag = False
    jit_compile: Annotated[Literal[True, False, "auto"], BeforeValidator(_no_number)] = "auto"
    steps_per_execution: PositiveCount = 1
    loss_weights: tuple[Finite, ...] | None = None
    by_name: Flag = False
    compiled_before: Flag = False
    auto_scale_loss: Flag = True
    returns: Literal["dict", "list"] = "dict"


class LossScaleSpec(Spec):
    """``keras.mixed_precision.LossScaleOptimizer`` around the optimizer.

    Attributes:
        initial_scale: First factor on the loss.
        dynamic_growth_steps: Finite steps in a row after which the factor doubles.
        excludes: Ask the wrapper, not the optimizer inside, to exclude variables from decay.
    """

    initial_scale: Positive = 32768.0
    dynamic_growth_steps: PositiveCount = 2000
    excludes: Flag = False


class PrecisionSpec(Spec):
    """The dtype policy of the model, and an explicit loss scale.

    Attributes:
        policy: Name of a Keras dtype policy.
        loss_scale: Wrap the optimizer explicitly; None leaves it to ``auto_scale_loss``.
    """

    policy: Literal["float64", "float32", "mixed_float16", "mixed_bfloat16"] = "float32"
    loss_scale: LossScaleSpec | None = None
