"""Further faults in the formulas of losses, metrics and optimizers: one wrong term each."""

from __future__ import annotations

from typing import Final

from tests.detection.faults.patching import Fault, rewrite
from tests.detection.faults.places import LOSS, LOSSES, METRICS, OPTIMIZERS


def _fault(area: str, name: str, what: str, place: str, *change: str) -> Fault:
    words, instead = change
    return Fault(name, area, what, rewrite(place, (words, instead)))


def _loss(name: str, what: str, function: str, words: str, instead: str) -> Fault:
    return _fault("losses", name, what, f"{LOSSES}:{function}", words, instead)


def _metric(name: str, what: str, place: str, words: str, instead: str) -> Fault:
    return _fault("metrics", name, what, f"{METRICS}.{place}", words, instead)


def _optimizer(name: str, what: str, place: str, words: str, instead: str) -> Fault:
    return _fault("optimizers", name, what, f"{OPTIMIZERS}.{place}.update_step", words, instead)


_FOCAL: Final = "binary_focal_crossentropy"
_SOFT_FOCAL: Final = "categorical_focal_crossentropy"
_R2: Final = "regression_metrics:R2Score"
_AUC: Final = "confusion_metrics:AUC"

LOSS_FORMULAS: Final = (
    _loss(
        "percentage_of_the_prediction",
        "the percentage error is one of the prediction, not of the target",
        "mean_absolute_percentage_error",
        "ops.abs(y_true), epsilon",
        "ops.abs(y_pred), epsilon",
    ),
    _loss(
        "percentage_is_a_fraction",
        "the percentage error is not multiplied by a hundred",
        "mean_absolute_percentage_error",
        "100.0 * ops.mean(diff, axis=-1)",
        "ops.mean(diff, axis=-1)",
    ),
    _loss(
        "logarithm_not_squared",
        "the squared logarithmic error is not squared",
        "mean_squared_logarithmic_error",
        "ops.square(first_log - second_log)",
        "ops.abs(first_log - second_log)",
    ),
    _loss(
        "cosine_sign",
        "cosine similarity as a loss grows with similarity",
        "cosine_similarity",
        "return -ops.sum",
        "return ops.sum",
    ),
    _loss(
        "squared_hinge_not_squared",
        "the squared hinge loss is not squared",
        "squared_hinge",
        "ops.square(ops.maximum(1.0 - y_true * y_pred, 0.0))",
        "ops.maximum(1.0 - y_true * y_pred, 0.0)",
    ),
    _loss(
        "hinge_labels_not_converted",
        "the hinge loss takes labels 0 and 1 as they are",
        "hinge",
        "y_true = convert_binary_labels_to_hinge(y_true)",
        "pass",
    ),
    _loss(
        "categorical_hinge_sums",
        "the categorical hinge takes the sum of the wrong classes, not the largest",
        "categorical_hinge",
        "ops.max((1.0 - y_true) * y_pred, axis=-1)",
        "ops.sum((1.0 - y_true) * y_pred, axis=-1)",
    ),
    _loss(
        "log_cosh_shifted",
        "log-cosh of no error is not zero",
        "log_cosh",
        "ops.softplus(x * -2.0) - log2",
        "ops.softplus(x * -2.0)",
    ),
    _loss(
        "divergence_other_way",
        "the divergence weighs by the prediction",
        "kl_divergence",
        "ops.sum(y_true * ops.log(y_true / y_pred), axis=-1)",
        "ops.sum(y_pred * ops.log(y_true / y_pred), axis=-1)",
    ),
    _loss(
        "poisson_without_rate",
        "the Poisson loss leaves out the rate",
        "poisson",
        "y_pred - y_true * ops.log",
        "0.0 - y_true * ops.log",
    ),
    _loss(
        "categorical_logits_ignored",
        "categorical crossentropy takes logits for probabilities",
        "categorical_crossentropy",
        "from_logits=from_logits",
        "from_logits=False",
    ),
    _loss(
        "categorical_axis_ignored",
        "categorical crossentropy looks for classes on the last axis",
        "categorical_crossentropy",
        "axis=axis\n",
        "axis=-1\n",
    ),
    _loss(
        "binary_smoothing_to_one",
        "binary label smoothing pulls labels towards one",
        "binary_crossentropy",
        "+ 0.5 * label_smoothing",
        "+ label_smoothing",
    ),
    _loss(
        "focal_gamma_ignored",
        "the focal factor's power is always two",
        _FOCAL,
        "ops.power(1.0 - p_t, gamma)",
        "ops.power(1.0 - p_t, 2.0)",
    ),
    _loss(
        "focal_on_the_wrong_class",
        "the focal factor punishes what is classified well",
        _FOCAL,
        "ops.power(1.0 - p_t, gamma)",
        "ops.power(p_t, gamma)",
    ),
    _loss(
        "focal_balance_swapped",
        "class balancing gives alpha to the negative class",
        _FOCAL,
        "weight = y_true * alpha + (1 - y_true) * (1 - alpha)",
        "weight = (1 - y_true) * alpha + y_true * (1 - alpha)",
    ),
    _loss(
        "soft_focal_alpha_ignored",
        "the categorical focal loss ignores alpha",
        _SOFT_FOCAL,
        "ops.multiply(modulating_factor, alpha)",
        "ops.multiply(modulating_factor, 0.25)",
    ),
    _loss(
        "soft_focal_not_normalised",
        "the categorical focal loss takes predictions that don't sum to one as they are",
        _SOFT_FOCAL,
        "y_pred / ops.sum(y_pred, axis=axis, keepdims=True)",
        "y_pred",
    ),
    _loss(
        "ignored_class_counts",
        "an ignored class still counts in the mean",
        "sparse_categorical_crossentropy",
        "backend.set_keras_mask(res, mask=valid_mask)",
        "pass",
    ),
    _loss(
        "dice_not_doubled",
        "the Dice coefficient counts what overlaps once",
        "dice",
        "2.0 * intersection",
        "1.0 * intersection",
    ),
    _loss(
        "circle_margin_doubled",
        "the circle loss takes twice its margin for pairs of one class",
        "circle",
        "optim_pos = margin",
        "optim_pos = 2 * margin",
    ),
    _loss(
        "generalized_not_divided",
        "the generalised crossentropy is not divided by q",
        "categorical_generalized_cross_entropy",
        "(1 - ops.power(p, q)) / q",
        "(1 - ops.power(p, q))",
    ),
    _fault(
        "losses",
        "mean_over_samples_only",
        "a mean is divided by the samples, not by all elements",
        f"{LOSS}:reduce_values",
        "ops.shape(values), dtype",
        "ops.shape(values)[:1], dtype",
    ),
    _fault(
        "losses",
        "sum_is_a_mean",
        "the reduction `sum` divides",
        f"{LOSS}:reduce_values",
        '("sum_over_batch_size", "mean", "mean_with_sample_weight")',
        '("sum_over_batch_size", "mean", "mean_with_sample_weight", "sum")',
    ),
)

METRIC_FORMULAS: Final = (
    _metric(
        "root_not_taken",
        "the root mean squared error is a mean squared error",
        "regression_metrics:RootMeanSquaredError.result",
        "ops.sqrt(super().result())",
        "super().result()",
    ),
    _metric(
        "mean_counts_samples",
        "a weighted mean is divided by the number of samples",
        "reduction_metrics:Mean.update_state",
        "ops.sum(sample_weight)",
        "ops.sum(ops.ones_like(sample_weight))",
    ),
    _metric(
        "sum_metric_overwritten",
        "a sum knows the last batch only",
        "reduction_metrics:Sum.update_state",
        "self.total.assign_add",
        "self.total.assign",
    ),
    _metric(
        "sum_metric_not_reset",
        "a sum goes on after a reset",
        "reduction_metrics:Sum.reset_state",
        "self.total.assign(0)",
        "pass",
    ),
    _metric(
        "precision_knows_no_false_ones",
        "precision does not count what was wrongly found",
        "confusion_metrics:Precision.result",
        "ops.add(self.true_positives, self.false_positives)",
        "self.true_positives",
    ),
    _metric(
        "recall_misses_nothing",
        "recall does not count what was missed",
        "confusion_metrics:Recall.result",
        "ops.add(self.true_positives, self.false_negatives)",
        "self.true_positives",
    ),
    _metric(
        "precision_not_reset",
        "precision keeps its false positives after a reset",
        "confusion_metrics:Precision.reset_state",
        "self.false_positives.assign(ops.zeros((num_thresholds,)))",
        "pass",
    ),
    _metric(
        "recall_not_reset",
        "recall keeps what it missed after a reset",
        "confusion_metrics:Recall.reset_state",
        "self.false_negatives.assign(ops.zeros((num_thresholds,)))",
        "pass",
    ),
    _metric(
        "area_minored",
        "the area under a curve takes the lower end of each piece",
        f"{_AUC}.result",
        "ops.add(y[: self.num_thresholds - 1], y[1:]), 2.0",
        "ops.minimum(y[: self.num_thresholds - 1], y[1:]), 1.0",
    ),
    _metric(
        "area_of_precision_and_sensitivity",
        "the false positive rate is divided by the positives",
        f"{_AUC}.result",
        "ops.add(self.false_positives, self.true_negatives)",
        "ops.add(self.false_positives, self.true_positives)",
    ),
    _metric(
        "area_not_reset",
        "the area under a curve keeps its true negatives after a reset",
        f"{_AUC}.reset_state",
        "self.true_negatives.assign(ops.zeros(variable_shape))",
        "pass",
    ),
    _metric(
        "label_weights_of_areas_ignored",
        "an AUC by label ignores the labels' weights",
        f"{_AUC}.result",
        "ops.sum(ops.multiply(by_label_auc, self.label_weights))",
        "ops.mean(by_label_auc) * ops.sum(self.label_weights)",
    ),
    _metric(
        "f_score_beta_not_squared",
        "the F score takes beta for its square",
        "f_score_metrics:FBetaScore.result",
        "((self.beta**2) * precision)",
        "(self.beta * precision)",
    ),
    _metric(
        "f_score_threshold_included",
        "the F score counts a prediction at the threshold as positive",
        "f_score_metrics:FBetaScore.update_state",
        "y_pred > self.threshold",
        "y_pred >= self.threshold",
    ),
    _metric(
        "f_score_weights_forgotten",
        "the weighted mean of F scores ignores how many there are of each class",
        "f_score_metrics:FBetaScore.result",
        "ops.sum(f1_score * weights)",
        "ops.mean(f1_score)",
    ),
    _metric(
        "r2_weights_ignored",
        "the R2 score does not weight its errors",
        f"{_R2}.update_state",
        "(y_true - y_pred) ** 2 * sample_weight",
        "(y_true - y_pred) ** 2",
    ),
    _metric(
        "r2_around_zero",
        "the R2 score measures around zero, not around the mean",
        f"{_R2}.result",
        "self.squared_sum - self.sum * mean",
        "self.squared_sum",
    ),
    _metric(
        "intersection_counted_twice",
        "the union counts the intersection twice",
        "iou_metrics:IoU.result",
        "sum_over_row + sum_over_col - true_positives",
        "sum_over_row + sum_over_col",
    ),
    _metric(
        "top_k_one_less",
        "top-k accuracy of one-hot rows looks at one class less",
        "accuracy_metrics:top_k_categorical_accuracy",
        "k=k)",
        "k=k - 1)",
    ),
)

OPTIMIZER_FORMULAS: Final = (
    _optimizer(
        "adadelta_epsilon_outside_root",
        "Adadelta takes the root before it adds epsilon",
        "adadelta:Adadelta",
        "return ops.sqrt(ops.add(x, self.epsilon))",
        "return ops.add(ops.sqrt(x), self.epsilon)",
    ),
    _optimizer(
        "adamax_betas_mixed_up",
        "Adamax corrects with beta_2",
        "adamax:Adamax",
        "ops.cast(self.beta_1, variable.dtype), local_step",
        "ops.cast(self.beta_2, variable.dtype), local_step",
    ),
    _optimizer(
        "nadam_epsilon_inside_root",
        "Nadam adds epsilon before it takes the root",
        "nadam:Nadam",
        "ops.add(ops.sqrt(v_hat), self.epsilon)",
        "ops.sqrt(ops.add(v_hat, self.epsilon))",
    ),
    _optimizer(
        "ftrl_beta_ignored",
        "Ftrl ignores beta",
        "ftrl:Ftrl",
        "l2_reg + self.beta / (2.0 * lr)",
        "l2_reg",
    ),
    _optimizer(
        "ftrl_shrinkage_in_squares",
        "Ftrl's shrinkage enters its sum of squares",
        "ftrl:Ftrl",
        "ops.square(gradient)",
        "ops.square(grad_to_use)",
    ),
    _optimizer(
        "lamb_epsilon_ignored",
        "Lamb ignores epsilon",
        "lamb:Lamb",
        "(1.0 - beta_2_power))), self.epsilon",
        "(1.0 - beta_2_power))), 0.0",
    ),
    _optimizer(
        "adafactor_epsilon_forgotten",
        "Adafactor does not keep its squares above epsilon",
        "adafactor:Adafactor",
        "ops.add(ops.square(gradient), self.epsilon_1)",
        "ops.square(gradient)",
    ),
)
