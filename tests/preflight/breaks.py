"""The table: what each rule finds, word for word, and what it leaves in peace."""

from harness.preflight import CallbackPlan, LabelPlan, OptimizerPlan, RatePlan, SourcePlan

from .cases import (
    ENDLESS,
    OWN,
    Case,
    arrays,
    checkpoint,
    compiled,
    early_stopping,
    fit,
    generator,
    plateau,
    schedule,
)

_SCHEDULER = CallbackPlan(index=0, name="LearningRateScheduler", kinds=("LearningRateScheduler",))
_SORTED = LabelPlan(classes=(0, 1, 2), ascending=True)

DATA = {
    "no_epoch_left": Case(
        breaks=fit(10, initial_epoch=10),
        says="fit: initial_epoch: epochs are counted from 10 to 10, so none is trained. `epochs` "
        "is the index of the epoch to end at, not how many are added. [no_epoch_left]",
        keeps=(fit(10, initial_epoch=9),),
    ),
    "training_never_ends": Case(
        breaks=fit(source=ENDLESS),
        says="fit: steps_per_epoch: the training data repeat without end and nothing limits an "
        "epoch, so the first one never ends. Give `steps_per_epoch`, or take the `repeat()` out. "
        "[training_never_ends]",
        keeps=(fit(source=ENDLESS, steps_per_epoch=8), fit()),
    ),
    "steps_beyond_data": Case(
        breaks=fit(2, steps_per_epoch=5),
        says="fit: steps_per_epoch: 2 x 5 = 10 steps are asked for, the data have 8 batches: "
        "epoch 2 gets 3 of 5, and 8 steps at most can be trained. Leave `steps_per_epoch` out, so "
        "that each epoch is one pass, or add `.repeat()`. [steps_beyond_data]",
        keeps=(
            fit(2, steps_per_epoch=4),
            fit(7, steps_per_epoch=8),
            fit(2, steps_per_epoch=5, source=ENDLESS),
            fit(2, steps_per_epoch=5, source=generator()),
        ),
    ),
    "generator_for_several_epochs": Case(
        breaks=fit(3, source=generator()),
        says="fit: x: a generator can be read once, and 3 epochs are to read it without "
        "`steps_per_epoch`: if it ends, the later epochs have no data of their own; if it does "
        "not, neither does the first epoch. Use a `keras.utils.PyDataset` or "
        "`tf.data.Dataset.from_generator`, which begin anew with each epoch, or an endless "
        "generator with `steps_per_epoch`. [generator_for_several_epochs]",
        keeps=(fit(1, source=generator()), fit(3, source=generator(), steps_per_epoch=4)),
    ),
    "generator_not_called": Case(
        breaks=fit(validation=SourcePlan(kind="function")),
        says="fit: validation_data: it is a function, which Keras can't read. Call it, or hand it "
        "to `tf.data.Dataset.from_generator`. [generator_not_called]",
        keeps=(fit(1, validation=generator()),),
    ),
    "elements_without_batch": Case(
        breaks=fit(source=SourcePlan(kind="dataset", batched=False)),
        says="fit: x: its elements are single examples, their shape lacks the batch. Add "
        "`.batch(...)` to the dataset. [elements_without_batch]",
        keeps=(
            fit(source=SourcePlan(kind="dataset", batched=True)),
            fit(source=SourcePlan(kind="dataset")),
        ),
    ),
    "tiny_last_batch": Case(
        breaks=fit(source=arrays(65)),
        says="fit: batch_size: the last batch of a pass has 1 example of 8 and moves the weights "
        "as far as a full one. Drop it (`drop_remainder=True`), or choose a batch size that "
        "divides the data better. [tiny_last_batch]",
        keeps=(fit(source=arrays(66)), fit(source=arrays(1)), fit(steps_per_epoch=8)),
    ),
    "labels_in_order": Case(
        breaks=fit(source=arrays(labels=_SORTED, shuffled=False)),
        says="fit: x: 3 classes come in order and are not shuffled: most batches hold one class, "
        "and every epoch ends with the last one. Shuffle over the whole data, `shuffle=True` for "
        "arrays. [labels_in_order]",
        keeps=(
            fit(source=arrays(labels=_SORTED, shuffled=True)),
            fit(source=arrays(labels=_SORTED)),
            fit(source=arrays(labels=LabelPlan(classes=(0, 1)), shuffled=False)),
        ),
    ),
    "classes_held_out": Case(
        breaks=fit(source=arrays(labels=LabelPlan(classes=(0, 1), held_out_only=(2, 3)))),
        says="fit: validation_split: the held-out part is the end of the data, and classes 2, 3 "
        "occur only there: they are never trained on. Shuffle the arrays once before `fit`: its "
        "own shuffling comes after the split. [classes_held_out]",
        keeps=(fit(source=arrays(labels=LabelPlan(classes=(0, 1)))),),
    ),
    "class_weight_misses": Case(
        breaks=fit(source=arrays(labels=LabelPlan(classes=(0, 1, 2))), class_weight=(0, 1)),
        says="fit: class_weight: class 2 of the training data have no weight and count 1. Give "
        "every class a weight. [class_weight_misses]",
        keeps=(
            fit(source=arrays(labels=LabelPlan(classes=(0, 1))), class_weight=(0, 1)),
            fit(source=arrays(labels=LabelPlan(classes=(0, 1)))),
            fit(class_weight=(0, 1)),
        ),
    ),
}

VALIDATION = {
    "validation_read_once": Case(
        breaks=fit(validation=generator()),
        says="fit: validation_data: a generator can be read once, and 10 evaluations are to read "
        "all of it: if it ends, the later ones have no data of their own; if it does not, neither "
        "does the first. Use arrays, a dataset or a `keras.utils.PyDataset`. "
        "[validation_read_once]",
        keeps=(
            fit(1, validation=generator()),
            fit(validation=generator(), validation_freq=10),
            fit(),
        ),
    ),
    "validation_differs": Case(
        breaks=fit(validation=generator(), validation_steps=3),
        says="fit: validation_data: a generator goes on where it stood, so that each of 10 "
        "evaluations sees other batches, and their values can't be compared. Use arrays, a "
        "dataset or a `keras.utils.PyDataset`. [validation_differs]",
        keeps=(
            fit(1, validation=generator(), validation_steps=3),
            fit(validation=generator(), validation_steps=2),
            fit(validation_steps=2),
        ),
    ),
    "validation_never_ends": Case(
        breaks=fit(validation=ENDLESS),
        says="fit: validation_steps: the validation data repeat without end and nothing limits an "
        "evaluation, so the first one never ends. Give `validation_steps`, or take the `repeat()` "
        "out. [validation_never_ends]",
        keeps=(fit(validation=ENDLESS, validation_steps=3),),
    ),
    "validation_steps_beyond_data": Case(
        breaks=fit(validation_steps=3),
        says="fit: validation_steps: 3 are asked for, the validation data have 2: each evaluation "
        "ends early, with a warning. Leave `validation_steps` out to evaluate all of them. "
        "[validation_steps_beyond_data]",
        keeps=(fit(validation_steps=2), fit(validation=ENDLESS, validation_steps=3)),
    ),
    "validation_never_due": Case(
        breaks=fit(validation_freq=11),
        says="fit: validation_freq: 11 falls on none of the epochs 1 to 10, so nothing is "
        "validated. Lower `validation_freq`; it counts epochs from 1. [validation_never_due]",
        keeps=(fit(validation_freq=10), fit(validation_freq=(3,)), fit(validation=None)),
    ),
}

OPTIMIZER = {
    "rate_has_two_masters": Case(
        breaks=fit(optimizer=schedule(), callbacks=(plateau(),)),
        says="callbacks[0] ReduceLROnPlateau: the learning rate comes from CosineDecay and can't "
        "be set: the first plateau raises an error, and the training is lost. Keep the schedule "
        "or the callback. [rate_has_two_masters]",
        keeps=(
            fit(callbacks=(plateau(),)),
            fit(optimizer=schedule()),
            # Too patient to ever do it; another rule says so.
            fit(optimizer=schedule(), callbacks=(plateau(patience=10),)),
            fit(callbacks=(_SCHEDULER,)),
        ),
    ),
    "rate_asks_for_arguments": Case(
        breaks=fit(optimizer=OptimizerPlan(rate=RatePlan(kind="callable", arguments=1))),
        says="optimizer: learning_rate: it is a function of 1 argument, and Keras calls it "
        "without any: the first step raises a TypeError. A function of the epoch belongs into "
        "`keras.callbacks.LearningRateScheduler`, one of the step into a `LearningRateSchedule`. "
        "[rate_asks_for_arguments]",
        keeps=(fit(optimizer=OptimizerPlan(rate=RatePlan(kind="callable"))),),
    ),
    "two_clippings": Case(
        breaks=fit(optimizer=OptimizerPlan(clippings=("clipnorm", "clipvalue"))),
        says="optimizer: clipvalue: clipnorm and clipvalue are set, and Keras clips in one way "
        "only. Keep one of them. [two_clippings]",
        keeps=(fit(optimizer=OptimizerPlan(clippings=("clipnorm",))),),
    ),
    "loss_scale_without_float16": Case(
        breaks=fit(optimizer=OptimizerPlan(loss_scale="dynamic")),
        says="LossScaleOptimizer: the loss is scaled under the policy float32, whose range needs "
        "none; a step whose scaled gradients overflow is lost. Scale the loss under mixed_float16 "
        "only. [loss_scale_without_float16]",
        keeps=(
            fit(),
            fit(
                optimizer=OptimizerPlan(loss_scale="dynamic"),
                compile=compiled(policy="mixed_float16").compile,
            ),
            fit(optimizer=OptimizerPlan(loss_scale="dynamic"), compile=compiled().compile),
        ),
    ),
    "float16_without_loss_scale": Case(
        breaks=compiled(policy="mixed_float16"),
        says="compile: auto_scale_loss: under mixed_float16 gradients below 6e-8 become 0, and "
        "nothing scales the loss. Use the policy mixed_float16 with `auto_scale_loss=True`, or "
        "wrap the optimizer in a LossScaleOptimizer. [float16_without_loss_scale]",
        keeps=(compiled(policy="mixed_bfloat16"), compiled(policy="float64")),
    ),
    "schedule_ends_early": Case(
        breaks=fit(optimizer=schedule(length=60)),
        says="optimizer: CosineDecay: the schedule is over after 60 steps, the training takes 80: "
        "the last 20 run at a rate of 0. Give it 80 steps. [schedule_ends_early]",
        keeps=(
            fit(optimizer=schedule()),
            fit(optimizer=schedule(length=90)),
            # Going on at a small rate is what `alpha` is for.
            fit(optimizer=schedule(length=60, end=0.001)),
            fit(optimizer=schedule(length=60), source=SourcePlan(kind="dataset")),
        ),
    ),
    "schedule_outlives_training": Case(
        breaks=fit(optimizer=schedule(length=640)),
        says="optimizer: CosineDecay: the schedule takes 640 steps, which is 64 examples x 10 "
        "epochs; the training takes 80, and ends when the schedule has hardly begun. Give it 80 "
        "steps, one a batch. [schedule_outlives_training]",
        keeps=(
            fit(optimizer=schedule(length=641)),
            fit(optimizer=schedule(), source=arrays(8, 1)),
        ),
    ),
    "warmup_outlives_training": Case(
        breaks=fit(optimizer=schedule(length=200, warmup=80)),
        says="optimizer: CosineDecay: the warm-up takes 80 steps, the whole training 80: its rate "
        "is never reached. Shorten the warm-up. [warmup_outlives_training]",
        keeps=(
            fit(optimizer=schedule(length=200, warmup=79)),
            # One epoch at a time is how people write loops of their own around fit.
            fit(1, optimizer=schedule(length=200, warmup=79)),
        ),
    ),
    "accumulation_never_complete": Case(
        breaks=fit(1, optimizer=OptimizerPlan(accumulation=9)),
        says="optimizer: gradient_accumulation_steps: the training has 8 steps, an update takes "
        "9: no weight is ever changed. Accumulate over fewer steps, or train longer. "
        "[accumulation_never_complete]",
        keeps=(
            fit(1, optimizer=OptimizerPlan(accumulation=8)),
            # A second fit goes on in the window of the first.
            fit(1, optimizer=OptimizerPlan(accumulation=9, steps_done=8)),
        ),
    ),
    "accumulation_left_over": Case(
        breaks=fit(optimizer=OptimizerPlan(accumulation=6)),
        says="optimizer: gradient_accumulation_steps: 80 steps are no multiple of 6: the gradients "
        "of the last 2 are thrown away. Choose a number that divides the steps of the training. "
        "[accumulation_left_over]",
        keeps=(
            fit(optimizer=OptimizerPlan(accumulation=5)),
            fit(optimizer=OptimizerPlan(accumulation=6, steps_done=None)),
            fit(optimizer=OptimizerPlan(accumulation=6, steps_done=4)),
        ),
    ),
}

CALLBACKS = {
    "monitor_not_logged": Case(
        breaks=fit(callbacks=(plateau(monitor="val_auc"),)),
        says="callbacks[0] ReduceLROnPlateau: monitor: 'val_auc' will not be in the logs: the "
        "model is not compiled with a metric 'auc', so the rate is never reduced. There will be "
        "accuracy, loss, own, val_accuracy, val_loss, val_own. [monitor_not_logged]",
        keeps=(
            fit(callbacks=(plateau(),)),
            fit(callbacks=(plateau(monitor="val_auc"),), other_logs=("val_auc",)),
            fit(callbacks=(OWN, early_stopping(1, monitor="val_auc", mode="max"))),
            fit(callbacks=(plateau(monitor="val_auc"),), compile=compiled().compile),
            fit(callbacks=(plateau(monitor="learning_rate"),)),
            fit(callbacks=(checkpoint(monitor="val_auc", save_best_only=False),)),
        ),
    ),
    "direction_unknown": Case(
        breaks=fit(callbacks=(early_stopping(monitor="val_own"),)),
        says="callbacks[0] EarlyStopping: mode: Keras can't tell whether more or less of "
        "'val_own' is better: the first epoch ends in a ValueError. Say mode='max' or mode='min'. "
        "[direction_unknown]",
        keeps=(
            fit(callbacks=(early_stopping(monitor="val_own", mode="max"),)),
            fit(callbacks=(plateau(monitor="val_own"),)),
            fit(callbacks=(early_stopping(monitor="val_accuracy"),)),
        ),
    ),
    "direction_reversed": Case(
        breaks=fit(callbacks=(early_stopping(monitor="val_accuracy", mode="min"),)),
        says="callbacks[0] EarlyStopping: mode: mode='min' takes less of 'val_accuracy' for "
        "better, and more of it is. Leave `mode` at 'auto', or turn it round. "
        "[direction_reversed]",
        keeps=(
            fit(callbacks=(early_stopping(monitor="val_accuracy", mode="max"),)),
            fit(callbacks=(early_stopping(mode="min"),)),
            fit(callbacks=(early_stopping(monitor="own", mode="min"),)),
        ),
    ),
    "patience_never_runs_out": Case(
        breaks=fit(callbacks=(early_stopping(patience=7, start_from_epoch=3),)),
        says="callbacks[0] EarlyStopping: patience: it waits for 7 evaluations without "
        "improvement and sees 7 from epoch 4 on, so it never stops the training before the end. "
        "Lower the patience, or leave the callback out. [patience_never_runs_out]",
        keeps=(
            fit(callbacks=(early_stopping(patience=6, start_from_epoch=3),)),
            # It is there for the weights, which are restored at the end in any case.
            fit(callbacks=(early_stopping(patience=10, restore_best_weights=True),)),
            fit(callbacks=(plateau(patience=9),)),
        ),
    ),
    "best_out_of_reach": Case(
        breaks=fit(callbacks=(early_stopping(monitor="val_accuracy", baseline=90.0),)),
        says="callbacks[0] EarlyStopping: baseline: 'val_accuracy' lies between 0 and 1 and can't "
        "get better than 90. Write it as a share: 0.9 for 90 %. [best_out_of_reach]",
        keeps=(
            fit(callbacks=(early_stopping(monitor="val_accuracy", baseline=0.9),)),
            fit(callbacks=(early_stopping(baseline=90.0),)),
        ),
    ),
    "checkpoint_name": Case(
        breaks=fit(callbacks=(checkpoint(filepath="model_weights"),)),
        says="callbacks[0] ModelCheckpoint: filepath: 'model_weights' must end in .keras without "
        "save_weights_only. Call it model_weights.keras. [checkpoint_name]",
        keeps=(
            fit(callbacks=(checkpoint(),)),
            fit(callbacks=(checkpoint(filepath="a.weights.h5", save_weights_only=True),)),
        ),
    ),
    "checkpoint_placeholder": Case(
        breaks=fit(
            validation=None, callbacks=(checkpoint(filepath="{epoch}-{val_loss:.2f}.keras"),)
        ),
        says="callbacks[0] ModelCheckpoint: filepath: {val_loss} in '{epoch}-{val_loss:.2f}.keras' "
        "can't be filled in: there are no validation data, and saving raises a KeyError. Take it "
        "out of the name. [checkpoint_placeholder]",
        keeps=(
            fit(callbacks=(checkpoint(filepath="{epoch:02d}-{val_loss:.2f}.keras"),)),
            fit(callbacks=(checkpoint(filepath="{broken.keras"),)),
        ),
    ),
}

COMPILE = {
    "execution_overruns_epoch": Case(
        breaks=fit(
            source=ENDLESS, steps_per_epoch=5, compile=compiled(steps_per_execution=4).compile
        ),
        says="compile: steps_per_execution: 4 steps run at a time and 5 are asked for an epoch: "
        "each epoch draws 8 batches. Make `steps_per_epoch` a multiple of it. "
        "[execution_overruns_epoch]",
        keeps=(
            compiled(steps_per_execution=3),
            fit(steps_per_epoch=8, compile=compiled(steps_per_execution=3).compile),
            fit(source=ENDLESS, steps_per_epoch=8, compile=compiled(steps_per_execution=4).compile),
        ),
    ),
    "jit_compile_ignored": Case(
        breaks=compiled(jit_compile=True, not_jittable=("string_lookup",)),
        says="compile: jit_compile: XLA can't compile string_lookup, and Keras switches it off for "
        "the whole model. Move such layers into the data pipeline, or leave `jit_compile` at "
        "'auto'. [jit_compile_ignored]",
        keeps=(compiled(jit_compile=True), compiled(not_jittable=("string_lookup",))),
    ),
}

CASES = {**DATA, **VALIDATION, **OPTIMIZER, **CALLBACKS, **COMPILE}
