"""What rules say where there is more than one way to break them."""

import pytest

from harness.preflight import CallbackPlan, OptimizerPlan, Plan, RatePlan, check

from .cases import (
    ENDLESS,
    arrays,
    checkpoint,
    compiled,
    early_stopping,
    fit,
    generator,
    plateau,
    schedule,
)


def _messages(plan: Plan, rule: str) -> list[str]:
    return [found.message for found in check(plan) if found.rule == rule]


@pytest.mark.parametrize(
    ("length", "optimizer", "reason"),
    [
        (10, {}, "; it counts epochs, Keras counts steps"),
        (80, {}, "; it leaves out the last, partial batch of each of 10 epochs"),
        (45, {"accumulation": 2}, "; it counts updates, Keras counts each of the 2 micro-batches"),
        (44, {}, ""),
    ],
)
def test_a_short_schedule_is_explained(length: int, optimizer: dict[str, int], reason: str) -> None:
    """A length that is the product of a known mistake names the mistake."""
    rate = schedule(length=length).rate
    plan = fit(source=arrays(68), optimizer=OptimizerPlan(rate=rate, **optimizer))  # type: ignore[arg-type]

    assert _messages(plan, "schedule_ends_early") == [
        (
            f"the schedule is over after {length} steps, the training takes 90: the last "
            f"{90 - length} run at a rate of 0{reason}"
        )
    ]


def test_a_miscounted_schedule_is_found_whatever_its_end() -> None:
    """Text 004's total, `(examples // batch_size) * epochs`, is a mistake at any end rate."""
    plan = fit(source=arrays(5000, 64), optimizer=schedule(length=780, end=1e-5))

    assert _messages(plan, "schedule_ends_early") == [
        (
            "the schedule is over after 780 steps, the training takes 790: the last 10 run at a "
            "rate of 1e-05; it leaves out the last, partial batch of each of 10 epochs"
        )
    ]


def test_a_schedule_goes_on_where_an_earlier_fit_left_it() -> None:
    """What counts is the optimizer's own count, not the epochs of this call."""
    rate = schedule(length=100).rate
    plan = fit(5, optimizer=OptimizerPlan(rate=rate, steps_done=80))

    assert _messages(plan, "schedule_ends_early") == [
        (
            "the schedule is over after 100 steps, the training takes 40: the last 20 run at a "
            "rate of 0"
        )
    ]


def test_a_scheduler_callback_is_a_second_master() -> None:
    """It sets the rate at the very first epoch, and a function can't be set either."""
    scheduler = CallbackPlan(index=2, name="Mine", kinds=("LearningRateScheduler",))
    optimizer = OptimizerPlan(rate=RatePlan(kind="callable"))

    assert _messages(fit(optimizer=optimizer, callbacks=(scheduler,)), "rate_has_two_masters") == [
        (
            "the learning rate comes from a function and can't be set: the first epoch raises an "
            "error, and the training is lost"
        )
    ]


def test_a_function_may_ask_for_more_than_one_argument() -> None:
    """The sentence is in the plural then."""
    optimizer = OptimizerPlan(rate=RatePlan(kind="callable", arguments=2))

    (message,) = _messages(fit(optimizer=optimizer), "rate_asks_for_arguments")
    assert message.startswith("it is a function of 2 arguments,")


def test_weights_without_a_class_are_found() -> None:
    """Labels from 0 with weights from 1 are one off."""
    from harness.preflight import LabelPlan

    labels = LabelPlan(classes=tuple(range(12)))
    plan = fit(source=arrays(labels=labels), class_weight=(12, 13))

    assert _messages(plan, "class_weight_misses") == [
        "classes 0, 1, 2, 3, 4, 5, 6, 7 and 4 more of the training data have no weight and count 1",
        "classes 12, 13 have a weight and do not occur in the training data",
    ]


def test_one_example_is_no_batch_to_normalise_over() -> None:
    """Its variance is 0, whatever the example."""
    plan = fit(source=arrays(65), compile=compiled(batch_norm=True).compile)

    assert _messages(plan, "tiny_last_batch") == [
        (
            "the last batch of a pass has 1 example of 8 and moves the weights as far as a full "
            "one; batch normalisation sees one example, whose variance is 0"
        )
    ]


def test_eager_models_are_not_compiled() -> None:
    """Two options that exclude each other."""
    plan = compiled(jit_compile=True, run_eagerly=True)

    assert _messages(plan, "jit_compile_ignored") == [
        "with `run_eagerly=True` there is no graph for XLA to compile, and Keras switches it off"
    ]


def test_a_generator_can_run_out_in_the_middle() -> None:
    """A source that can be read once has nothing for a later epoch."""
    source = generator(batches=3)
    (found,) = check(fit(3, source=source, steps_per_epoch=2))

    assert (found.message, found.remedy) == (
        (
            "3 x 2 = 6 steps are asked for, the data have 3 batches and can be read only once: "
            "epoch 2 gets 1 of 2, and 3 steps at most can be trained"
        ),
        "Use a dataset, which can begin anew, with `.repeat()`.",
    )


@pytest.mark.parametrize(
    ("callback", "effect"),
    [
        (early_stopping(), "nothing ever stops early"),
        (early_stopping(monitor="val_x"), "the first epoch ends in a ValueError"),
        (plateau(), "the rate is never reduced"),
        (
            checkpoint(save_best_only=True),
            "the best is never known, and Keras saves every epoch over the last one, or none",
        ),
    ],
)
def test_what_a_missing_monitor_means(callback: CallbackPlan, effect: str) -> None:
    """Each callback fails in its own way."""
    (message,) = _messages(fit(validation=None, callbacks=(callback,)), "monitor_not_logged")

    assert message.endswith(f"there are no validation data, so {effect}")


def test_a_monitor_of_a_validation_that_never_comes_is_missing() -> None:
    """`validation_freq` beyond the epochs leaves no `val_` in the logs."""
    plan = fit(callbacks=(plateau(),), validation_freq=20)

    assert _messages(plan, "monitor_not_logged") == [
        "'val_loss' will not be in the logs: no epoch is validated, so the rate is never reduced"
    ]


def test_a_model_without_metrics_is_told_to_have_some() -> None:
    """Where no key is known there is none to offer."""
    plan = fit(
        validation=None,
        callbacks=(plateau(monitor="auc"),),
        compile=compiled(directions={}).compile,
    )

    assert [found.remedy for found in check(plan)] == ["Compile the model with that metric."]


def test_patience_counts_evaluations() -> None:
    """With a validation every third epoch, three of ten epochs can be waited for."""
    plan = fit(callbacks=(plateau(patience=3),), validation_freq=3)

    assert _messages(plan, "patience_never_runs_out") == [
        (
            "it waits for 3 evaluations without improvement and sees 3, so it never lowers the "
            "rate before the end"
        )
    ]


@pytest.mark.parametrize(
    ("name", "verb"), [("min_delta", "improve by"), ("baseline", "get better than")]
)
def test_a_percentage_is_no_share(name: str, verb: str) -> None:
    """Accuracies end at 1."""
    plan = fit(callbacks=(early_stopping(monitor="accuracy", **{name: 5}),))

    assert _messages(plan, "best_out_of_reach") == [
        f"'accuracy' lies between 0 and 1 and can't {verb} 5"
    ]


def test_a_placeholder_is_not_filled_by_every_epoch() -> None:
    """`val_loss` is in the logs of every second epoch only, and the first has none."""
    callback = checkpoint(filepath="{val_loss:.2f}.keras")

    (message,) = _messages(fit(callbacks=(callback,), validation_freq=2), "checkpoint_placeholder")
    assert "it is there only after the epochs that are validated" in message


def test_weights_have_an_ending_of_their_own() -> None:
    """The whole model and its weights are told apart by name."""
    callback = checkpoint(filepath="w.keras", save_weights_only=True)

    assert _messages(fit(callbacks=(callback,)), "checkpoint_name") == [
        "'w.keras' must end in .weights.h5 with save_weights_only"
    ]


def test_data_that_end_with_the_epoch_are_not_overrun() -> None:
    """A bundle is cut where the data end."""
    options = compiled(steps_per_execution=3).compile

    assert check(fit(steps_per_epoch=8, compile=options)) == ()
    assert check(fit(steps_per_epoch=8, source=ENDLESS, compile=options)) != ()
