"""Training data that end too early, never, or aren't what they seem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.preflight.counting import shortfall, total_steps
from harness.preflight.registry import Discovery, rule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.preflight.plan import Plan
    from harness.preflight.registry import Found

_TINY: Final = 8
_TINY_OF_SEVERAL: Final = 32
"""A last batch of at most this part of a full one, where it is one example and where it is more:
its mean gradient has a variance as many times that of the others, and moves the weights as far.
An eighth alone would be found in every eighth data set, where nobody has ever missed anything."""

_SHOWN: Final = 8


@rule("refuse")
def no_epoch_left(plan: Plan) -> Found:
    """Training begins at or behind the last epoch."""
    if plan.initial_epoch >= plan.epochs:
        yield Discovery(
            "fit: initial_epoch",
            f"epochs are counted from {plan.initial_epoch} to {plan.epochs}, so none is trained",
            "`epochs` is the index of the epoch to end at, not how many are added.",
        )


@rule("refuse")
def training_never_ends(plan: Plan) -> Found:
    """Data that repeat without end have no `steps_per_epoch`."""
    if plan.source.infinite and plan.steps_per_epoch is None:
        yield Discovery(
            "fit: steps_per_epoch",
            "the training data repeat without end and nothing limits an epoch, so the first one "
            "never ends",
            "Give `steps_per_epoch`, or take the `repeat()` out.",
        )


@rule("refuse")
def steps_beyond_data(plan: Plan) -> Found:
    """More steps are asked for than the data have batches."""
    short, size = shortfall(plan), plan.steps_per_epoch
    if short is None:
        return
    batches = _counted(plan.source.batches or 0, "batch", "batches")
    once = " and can be read only once" if plan.source.one_shot else ""
    yield Discovery(
        "fit: steps_per_epoch",
        f"{plan.epochs - plan.initial_epoch} x {size} = {total_steps(plan)} steps are asked for, "
        f"the data have {batches}{once}: epoch {short.epoch + 1} gets {short.steps} of {size}, and "
        f"{short.total} steps at most can be trained",
        "Use a dataset, which can begin anew, with `.repeat()`."
        if plan.source.one_shot
        else "Leave `steps_per_epoch` out, so that each epoch is one pass, or add `.repeat()`.",
    )


@rule("refuse")
def generator_for_several_epochs(plan: Plan) -> Found:
    """A generator, which can be read once, has to serve several epochs without a step count."""
    epochs = plan.epochs - plan.initial_epoch
    if plan.source.one_shot and plan.steps_per_epoch is None and epochs > 1:
        yield Discovery(
            "fit: x",
            f"a generator can be read once, and {epochs} epochs are to read it without "
            "`steps_per_epoch`: if it ends, the later epochs have no data of their own; if it does "
            "not, neither does the first epoch",
            "Use a `keras.utils.PyDataset` or `tf.data.Dataset.from_generator`, which begin anew "
            "with each epoch, or an endless generator with `steps_per_epoch`.",
        )


@rule("refuse")
def generator_not_called(plan: Plan) -> Found:
    """A function stands where its generator is meant."""
    for place, source in (("x", plan.source), ("validation_data", plan.validation)):
        if source is not None and source.kind == "function":
            yield Discovery(
                f"fit: {place}",
                "it is a function, which Keras can't read",
                "Call it, or hand it to `tf.data.Dataset.from_generator`.",
            )


@rule("refuse")
def elements_without_batch(plan: Plan) -> Found:
    """The elements of a dataset are single examples."""
    for place, source in (("x", plan.source), ("validation_data", plan.validation)):
        if source is not None and source.batched is False:
            yield Discovery(
                f"fit: {place}",
                "its elements are single examples, their shape lacks the batch",
                "Add `.batch(...)` to the dataset.",
            )


@rule("warn")
def tiny_last_batch(plan: Plan) -> Found:
    """The last batch of a pass is a small part of a full one and weighs as much."""
    last, size, batches = plan.source.last_batch, plan.source.batch_size, plan.source.batches
    if last is None or size is None or batches is None or batches == 1:
        return
    if last * (_TINY if last == 1 else _TINY_OF_SEVERAL) > size:
        return
    if plan.steps_per_epoch is not None and plan.steps_per_epoch < batches:
        return
    alone = last == 1 and plan.compile.batch_norm
    lone = "; batch normalisation sees one example, whose variance is 0" if alone else ""
    yield Discovery(
        "fit: batch_size",
        f"the last batch of a pass has {_counted(last, 'example', 'examples')} of {size} and moves "
        f"the weights as far as a full one{lone}",
        "Drop it (`drop_remainder=True`), or choose a batch size that divides the data better.",
    )


@rule("warn")
def labels_in_order(plan: Plan) -> Found:
    """Classes come one behind the other, and nothing shuffles them."""
    labels = plan.source.labels
    if labels is None or not labels.ascending or plan.source.shuffled is not False:
        return
    if len(labels.classes) > 1:
        yield Discovery(
            "fit: x",
            f"{len(labels.classes)} classes come in order and are not shuffled: most batches hold "
            "one class, and every epoch ends with the last one",
            "Shuffle over the whole data, `shuffle=True` for arrays.",
        )


@rule("warn")
def classes_held_out(plan: Plan) -> Found:
    """`validation_split` takes whole classes away."""
    labels = plan.source.labels
    if labels is not None and labels.held_out_only:
        yield Discovery(
            "fit: validation_split",
            f"the held-out part is the end of the data, and {_classes(labels.held_out_only)} "
            "occur only there: they are never trained on",
            "Shuffle the arrays once before `fit`: its own shuffling comes after the split.",
        )


@rule("warn")
def class_weight_misses(plan: Plan) -> Found:
    """Classes without a weight, or weights without a class."""
    labels, weighted = plan.source.labels, plan.class_weight
    if labels is None or weighted is None:
        return
    if missing := sorted(set(labels.classes) - set(weighted)):
        yield Discovery(
            "fit: class_weight",
            f"{_classes(missing)} of the training data have no weight and count 1",
            "Give every class a weight.",
        )
    if unused := sorted(set(weighted) - set(labels.classes) - set(labels.held_out_only)):
        yield Discovery(
            "fit: class_weight",
            f"{_classes(unused)} have a weight and do not occur in the training data",
            "Count the classes as the labels do.",
        )


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _classes(classes: Iterable[int]) -> str:
    names = [str(item) for item in classes]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"class{'' if len(names) == 1 else 'es'} {', '.join(names[:_SHOWN])}{more}"
