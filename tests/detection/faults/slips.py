"""Slips in what optimizers are given, and in what weights may be and cost."""

from __future__ import annotations

from contextlib import contextmanager
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Final

from tests.detection.faults.patching import Fault, replaced, rewrite
from tests.detection.faults.places import LOSS_SCALE, OPTIMIZERS, SCHEDULE

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONSTRAINTS: Final = "keras.src.constraints.constraints"
_REGULARIZERS: Final = "keras.src.regularizers.regularizers"


@contextmanager
def _rate_is_kept() -> Iterator[None]:
    wrapper = resolve_name(LOSS_SCALE)
    read = vars(wrapper)["learning_rate"].fget
    with replaced(wrapper, "learning_rate", property(read, lambda _optimizer, _rate: None)):
        yield


GIVEN: Final = (
    Fault(
        "adamw_without_amsgrad",
        "optimizers",
        "AdamW does not hand amsgrad on to Adam",
        rewrite(f"{OPTIMIZERS}.adamw:AdamW.__init__", ("        amsgrad=amsgrad,\n", "")),
    ),
    Fault(
        "centred_without_momentum",
        "optimizers",
        "RMSprop forgets its momentum where it is centred",
        rewrite(
            f"{OPTIMIZERS}.rmsprop:RMSprop.update_step",
            (
                "if self.momentum > 0:\n        self.assign(\n",
                "if self.momentum > 0 and not self.centered:\n        self.assign(\n",
            ),
        ),
    ),
    Fault(
        "lamb_overwrites_nothing",
        "optimizers",
        "Lamb does not hand ema_overwrite_frequency on",
        rewrite(
            f"{OPTIMIZERS}.lamb:Lamb.__init__",
            ("        ema_overwrite_frequency=ema_overwrite_frequency,\n", ""),
        ),
    ),
    Fault(
        "muon_first_exclusion_only",
        "optimizers",
        "Muon reads the first of its excluded layers only",
        rewrite(
            f"{OPTIMIZERS}.muon:Muon._should_use_adamw",
            ("in self.exclude_layers:", "in self.exclude_layers[:1]:"),
        ),
    ),
    Fault(
        "chosen_optimizer_keeps_its_factor",
        "optimizers",
        "an optimizer that a function chooses is not told the loss scale of all",
        rewrite(
            f"{OPTIMIZERS}.multi_optimizer:MultiOptimizer.build",
            ("            opt.loss_scale_factor = self.loss_scale_factor\n", ""),
        ),
    ),
    Fault(
        "loss_scale_config_starts_anew",
        "loss_scaling",
        "the configuration of a loss scale holds the default for its start",
        rewrite(
            f"{LOSS_SCALE}.get_config",
            ('"initial_scale": self.initial_scale', '"initial_scale": 2.0**15'),
        ),
    ),
    Fault(
        "wrapper_keeps_the_rate",
        "optimizers",
        "a learning rate that is assigned to a loss scale does not reach the optimizer inside",
        _rate_is_kept,
    ),
    Fault(
        "equal_restarts_not_folded",
        "schedules",
        "restarts of equal length go on where the last one has ended",
        rewrite(
            f"{SCHEDULE}:CosineDecayRestarts.__call__",
            ("completed_fraction -= i_restart", "completed_fraction -= 0.0 * i_restart"),
        ),
    ),
    Fault(
        "polynomial_config_without_cycle",
        "schedules",
        "the configuration of a polynomial decay has lost its cycle",
        rewrite(f"{SCHEDULE}:PolynomialDecay.get_config", ('        "cycle": self.cycle,\n', "")),
    ),
)

WEIGHTS: Final = (
    Fault(
        "max_norm_over_the_first_axis",
        "averaging",
        "MaxNorm takes its norms over the first axis, whatever it was given",
        rewrite(f"{_CONSTRAINTS}:MaxNorm.__call__", ("axis=self.axis", "axis=0")),
    ),
    Fault(
        "max_norm_always_at_its_limit",
        "averaging",
        "MaxNorm stretches what is shorter than its limit",
        rewrite(
            f"{_CONSTRAINTS}:MaxNorm.__call__",
            ("ops.clip(norms, 0, self.max_value)", "ops.full_like(norms, self.max_value)"),
        ),
    ),
    Fault(
        "non_neg_mirrors",
        "averaging",
        "NonNeg turns the sign of what is negative",
        rewrite(f"{_CONSTRAINTS}:NonNeg.__call__", ("ops.maximum(w, 0)", "ops.absolute(w)")),
    ),
    Fault(
        "min_max_norm_without_minimum",
        "averaging",
        "MinMaxNorm leaves alone what is shorter than its lower limit",
        rewrite(
            f"{_CONSTRAINTS}:MinMaxNorm.__call__",
            (
                "ops.clip(norms, self.min_value, self.max_value)",
                "ops.minimum(norms, self.max_value)",
            ),
        ),
    ),
    Fault(
        "min_max_norm_shrinks_by_its_rate",
        "averaging",
        "MinMaxNorm leaves out what a rate below 1 keeps of the norm",
        rewrite(f"{_CONSTRAINTS}:MinMaxNorm.__call__", ("        + (1 - self.rate) * norms\n", "")),
    ),
    Fault(
        "min_max_norm_config_without_rate",
        "compile",
        "the configuration of a MinMaxNorm has lost its rate",
        rewrite(f"{_CONSTRAINTS}:MinMaxNorm.get_config", ('        "rate": self.rate,\n', "")),
    ),
    Fault(
        "one_penalty_of_two",
        "compile",
        "L1L2 leaves out the second penalty where there is a first",
        rewrite(f"{_REGULARIZERS}:L1L2.__call__", ("if self.l2 != 0.0:", "elif self.l2 != 0.0:")),
    ),
    Fault(
        "size_of_the_sum",
        "compile",
        "L1 takes the size of the sum, not the sum of the sizes",
        rewrite(
            f"{_REGULARIZERS}:L1.__call__",
            ("ops.sum(ops.absolute(x))", "ops.absolute(ops.sum(x))"),
        ),
    ),
    Fault(
        "pairs_with_themselves",
        "compile",
        "the orthogonal penalty divides by one pair too many for each vector",
        rewrite(
            f"{_REGULARIZERS}:OrthogonalRegularizer.__call__",
            ("size * (size - 1.0) / 2.0", "size * (size + 1.0) / 2.0"),
        ),
    ),
    Fault(
        "orthogonal_columns_are_rows",
        "compile",
        "the orthogonal penalty reads rows where it was told columns",
        rewrite(
            f"{_REGULARIZERS}:OrthogonalRegularizer.__call__",
            ('if self.mode == "rows":', 'if self.mode in ("rows", "columns"):'),
        ),
    ),
    Fault(
        "orthogonal_config_without_mode",
        "compile",
        "the configuration of an orthogonal penalty has lost its mode",
        rewrite(f"{_REGULARIZERS}:OrthogonalRegularizer.get_config", (', "mode": self.mode', "")),
    ),
)

PRECISIONS: Final = (
    Fault(
        "mixed_bfloat16_is_float16",
        "compile",
        "mixed_bfloat16 computes in the other half precision",
        rewrite(
            "keras.src.dtype_policies.dtype_policy:DTypePolicy._parse_name",
            ('return "bfloat16", "float32"', 'return "float16", "float32"'),
        ),
    ),
    Fault(
        "autocast_ends_within",
        "compile",
        "after calling another layer, a layer reads its weights in their own dtype",
        rewrite(
            "keras.src.backend.common.variables:AutocastScope.__exit__",
            ("self.original_scope", "None"),
        ),
    ),
    Fault(
        "output_loss_is_a_share",
        "distribution",
        "the loss of one output is reported as a replica's share of the total",
        rewrite(
            "keras.src.trainers.compile_utils:CompileLoss.call",
            ("loss_module.unscale_loss_for_distribution(value)", "value"),
        ),
    ),
)
