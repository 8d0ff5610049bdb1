"""What is behind exceptions that many people meet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["advice_on"]


class _Known(NamedTuple):
    pattern: re.Pattern[str]
    rule: str
    why: str
    remedy: str


def _known(pattern: str, rule: str, why: str, remedy: str) -> _Known:
    return _Known(re.compile(pattern, re.DOTALL), rule, why, remedy)


_EXCEPTIONS: Final = (
    _known(
        r"TypeError: .*apply(_gradients)?\(\) got an unexpected keyword argument 'global_step'",
        "global_step_argument",
        "Optimizers of Keras 3 take no global_step: they count their updates themselves, in "
        "optimizer.iterations. And a count never ends a training; only the loop does.",
        "Leave the argument out and read optimizer.iterations.",
    ),
    _known(
        r"TypeError: .*missing \d+ required positional argument.*'(epoch|step)'",
        "rate_takes_no_argument",
        "A function given as learning_rate is called without arguments, at every step.",
        "Hand a function of the epoch to keras.callbacks.LearningRateScheduler; for one of the "
        "step derive from keras.optimizers.schedules.LearningRateSchedule.",
    ),
    _known(
        r"ValueError: .*filepath.*(\.keras|\.weights\.h5)",
        "checkpoint_name",
        "Keras 3 takes the format from the file's name, and knows no other endings.",
        "Call it model.keras, or with save_weights_only=True model.weights.h5.",
    ),
    _known(
        r"TypeError: This optimizer was created with a `LearningRateSchedule`",
        "schedule_and_setter",
        "A schedule computes the rate; nothing can set it, and the callback tries only when its "
        "moment comes, after the training time is spent.",
        "Keep the schedule or the callback.",
    ),
    _known(
        r"TypeError: '[\w.]*(Tensor|Variable)' object is not callable",
        "rate_is_no_function",
        "optimizer.learning_rate is the current value, also where a schedule computes it.",
        "Call the schedule itself, schedule(step), or read float(optimizer.learning_rate).",
    ),
    _known(
        r"(OperatorNotAllowedInGraphError|[Uu]sing a symbolic `tf\.Tensor` as a Python `bool`)",
        "python_branch_in_graph",
        (
            "fit compiles the train step into a graph once; a Python `if` can't look at a tensor "
            "in it."
        ),
        "Use tf.cond or keras.ops.cond. To accumulate gradients, give the optimizer "
        "gradient_accumulation_steps: Keras does the rest.",
    ),
    _known(
        r"ValueError: tf\.function only supports singleton tf\.Variables created on the first call",
        "variables_made_in_step",
        "The train step is traced more than once, and makes new variables each time.",
        "Make them in build or __init__. To accumulate gradients, give the optimizer "
        "gradient_accumulation_steps.",
    ),
    _known(
        r"(ResourceExhausted|OOM|MemoryError|[Oo]ut of memory)",
        "out_of_memory",
        "A tensor did not fit into what memory was left.",
        "Make the batch smaller; gradient_accumulation_steps keeps the update the same.",
    ),
)


def advice_on(error: Mapping[str, Any], *, in_fit: bool) -> tuple[str, str, str]:
    """Rule, reason and remedy for an exception.

    Args:
        error: ``type``, ``message``, and ``callback`` where one raised it.
        in_fit: Whether a fit was running.
    """
    text = f"{error['type']}: {error['message']}"
    for known in _EXCEPTIONS:
        if known.pattern.search(text):
            return known.rule, known.why, known.remedy
    if error["type"] == "SystemExit":
        return (
            "exit_in_training",
            "The training ended with the script, in the middle of an epoch.",
            "Set model.stop_training instead, so that fit ends in order and returns.",
        )
    if error.get("callback") is not None:
        return (
            "callback_error",
            "An exception in a callback ends the training, whatever the model does.",
            "Mend the callback; what may fail in it, logging or uploads, belongs into try/except.",
        )
    why = "It ended the training." if in_fit else "It ended the script."
    return "exception", why, "Mend the line above."
