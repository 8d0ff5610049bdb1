"""Update rules: Keras' defaults and what is refused."""

import pytest

from harness.oracles.arrays import ArgumentError
from harness.oracles.loss_scaling import DynamicLossScale
from harness.oracles.rule import DEFAULTS, UpdateRule, make_rule


def test_defaults_are_those_of_keras() -> None:
    """Each kind starts from its documented constants, given ones replace them."""
    assert dict(make_rule("sgd").hyperparameters) == {"momentum": 0.0, "nesterov": False}
    assert dict(make_rule("rmsprop", rho=0.5).hyperparameters) == {
        "rho": 0.5,
        "momentum": 0.0,
        "epsilon": 1e-7,
        "centered": False,
    }
    adam = make_rule("adam", amsgrad=True)
    assert adam.flag("amsgrad") is True
    assert adam.number("beta_2") == 0.999
    assert make_rule("adagrad").number("initial_accumulator_value") == 0.1


def test_only_adamw_decays_by_default() -> None:
    """AdamW has a weight decay of 0.004, all others have none unless they are told."""
    assert make_rule("adamw").weight_decay == 0.004
    assert make_rule("adamw", weight_decay=0.0).weight_decay == 0.0
    others = [kind for kind in DEFAULTS if kind != "adamw"]
    assert {make_rule(kind).weight_decay for kind in others} == {None}  # type: ignore[arg-type]


def test_hyperparameters_cannot_be_changed() -> None:
    """A rule is frozen, its mapping too."""
    rule = make_rule("sgd")
    with pytest.raises(TypeError):
        rule.hyperparameters["momentum"] = 0.9  # type: ignore[index]


def test_foreign_hyperparameter_is_refused() -> None:
    """The learning rate, given per update, is foreign to every rule."""
    with pytest.raises(ArgumentError) as caught:
        make_rule("sgd", learning_rate=0.1)
    assert str(caught.value) == (
        "sgd must be given only momentum, nesterov and the arguments common to all optimizers, "
        "got learning_rate=0.1."
    )


def test_unknown_kind_is_refused() -> None:
    """Both ways to a rule name the known kinds."""
    message = r"^kind must be one of sgd, adam, .*, muon, got 'tiger'\.$"
    with pytest.raises(ArgumentError, match=message):
        make_rule("tiger")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=message):
        UpdateRule(kind="tiger", hyperparameters={})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name",
    [
        "clipvalue",
        "clipnorm",
        "global_clipnorm",
        "ema_overwrite_frequency",
        "gradient_accumulation_steps",
        "loss_scale",
    ],
)
def test_limits_and_counts_must_be_positive(name: str) -> None:
    """Zero is refused by name where it would mean nothing."""
    with pytest.raises(ArgumentError) as caught:
        make_rule("sgd", **{name: 0})  # type: ignore[arg-type]
    assert str(caught.value) == f"{name} must be greater than 0, got 0."


def test_dynamic_loss_scale_checks_itself() -> None:
    """A dynamic policy is accepted whole."""
    policy = DynamicLossScale(initial_scale=4.0, dynamic_growth_steps=2)
    assert make_rule("sgd", loss_scale=policy).loss_scale is policy


def test_ema_momentum_is_a_fraction() -> None:
    """A share above 1 is refused."""
    with pytest.raises(ArgumentError, match=r"^ema_momentum must lie in \[0, 1\], got 2\.$"):
        make_rule("sgd", ema_momentum=2)


def test_a_constant_that_is_off_is_no_number() -> None:
    """Where Keras takes None a rule does, and says so when a number is asked of it."""
    rule = make_rule("muon", rms_rate=None)
    assert rule.optional("rms_rate") is None
    assert rule.optional("momentum") == 0.95
    with pytest.raises(ArgumentError, match=r"^rms_rate must be a number for muon, got None\.$"):
        rule.number("rms_rate")
