"""The composite update: order of its parts, windows, skipped steps, averages."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ShapeError
from harness.oracles.arrays import ArgumentError, Float64
from harness.oracles.loss_scaling import DynamicLossScale
from harness.oracles.update import (
    OptimizerState,
    UpdateResult,
    UpdateRule,
    apply_gradients,
    finalized_parameters,
    initial_state,
    make_rule,
)

KINDS = ("sgd", "adam", "adamw", "rmsprop", "adagrad")
START = (np.array([1.0, 2.0]), np.array(4.0))


def run(
    rule: UpdateRule, gradients: Sequence[Sequence[Float64 | None]], *, rate: float = 0.5
) -> list[UpdateResult]:
    """Apply the gradients one after the other, starting from START."""
    state = initial_state(rule, START)
    parameters: tuple[Float64, ...] = START
    results = []
    for step in gradients:
        results.append(apply_gradients(rule, state, parameters, step, learning_rate=rate))
        state, parameters = results[-1].state, results[-1].parameters
    return results


def draws(steps: int, seed: int = 0) -> list[tuple[Float64, Float64]]:
    """Return gradients for the two start variables."""
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=2), np.array(rng.normal())) for _ in range(steps)]


def test_plain_step() -> None:
    """One SGD step moves every variable, counts one iteration and one update."""
    (result,) = run(make_rule("sgd"), [(np.array([1.0, -2.0]), np.array(2.0))])
    assert [p.tolist() for p in result.parameters] == [[0.5, 3.0], 3.0]
    assert result.updated
    assert not result.skipped
    assert (result.state.iterations, result.state.updates) == (1, 1)
    assert (result.state.scale, result.state.finite_steps) == (1.0, 0)
    assert result.state.accumulators == result.state.averages == ()


def test_results_are_read_only_and_inputs_untouched() -> None:
    """Neither the caller's arrays nor the returned ones can be changed by the other side."""
    (result,) = run(make_rule("adam"), draws(1))
    assert START[0].tolist() == [1.0, 2.0]
    assert START[0].flags.writeable
    assert not result.parameters[0].flags.writeable
    assert result.clipped is not None
    assert result.clipped[0] is not None
    assert not result.clipped[0].flags.writeable


def test_decay_follows_clipping_and_precedes_the_step() -> None:
    """Gradient 8 clipped to 1, weight 4 decayed to 4 - 4 * 0.25 * 0.5, then minus 0.5 * 1."""
    rule = make_rule("sgd", clipvalue=1.0, weight_decay=0.25, decay_mask=(False, True))
    (result,) = run(rule, [(np.array([0.5, -3.0]), np.array(8.0))])
    assert result.clipped is not None
    assert [None if g is None else g.tolist() for g in result.clipped] == [[0.5, -1.0], 1.0]
    assert [p.tolist() for p in result.parameters] == [[0.75, 2.5], 3.0]


def test_excluded_variable_with_zero_gradient_does_not_move() -> None:
    """Only the variable that is not excluded decays."""
    rule = make_rule("adamw", weight_decay=0.5, decay_mask=(True, False))
    (result,) = run(rule, [(np.zeros(2), np.zeros(()))])
    assert [p.tolist() for p in result.parameters] == [[0.75, 1.5], 4.0]


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 2**16), window=st.integers(2, 4))
def test_window_equals_one_large_batch(kind: str, seed: int, window: int) -> None:
    """K accumulated micro-batches give the weights, slots and averages of their mean gradient."""
    common = {
        "global_clipnorm": 0.7,
        "weight_decay": 0.1,
        "use_ema": True,
        "ema_momentum": 0.5,
        "ema_overwrite_frequency": 2,
    }
    small = draws(3 * window, seed)
    large = [
        tuple(np.mean(parts, axis=0) for parts in zip(*small[i : i + window], strict=True))
        for i in range(0, len(small), window)
    ]
    split = run(
        make_rule(kind, gradient_accumulation_steps=window, **common),  # type: ignore[arg-type]
        small,
    )
    whole = run(make_rule(kind, **common), large)  # type: ignore[arg-type]
    assert [result.updated for result in split] == ([False] * (window - 1) + [True]) * 3
    assert split[-1].state.iterations == 3 * window
    assert split[-1].state.updates == whole[-1].state.updates == 3
    for got, want in zip(split[window - 1 :: window], whole, strict=True):
        for index in range(2):
            np.testing.assert_allclose(got.parameters[index], want.parameters[index], rtol=1e-9)
            np.testing.assert_allclose(
                got.state.averages[index], want.state.averages[index], rtol=1e-9
            )
            for name, slot in want.state.slots[index].items():
                np.testing.assert_allclose(got.state.slots[index][name], slot, rtol=1e-7)


def test_weights_and_averages_rest_inside_a_window() -> None:
    """Micro-steps that do not close a window touch nothing but the accumulators."""
    rule = make_rule("adam", gradient_accumulation_steps=3, use_ema=True, weight_decay=0.1)
    first, second, third, fourth = run(rule, draws(4))
    for result in (first, second):
        assert result.clipped is None
        np.testing.assert_array_equal(result.parameters[0], START[0])
        np.testing.assert_array_equal(result.state.averages[0], [0.0, 0.0])
    np.testing.assert_array_equal(third.state.accumulators[0], [0.0, 0.0])
    assert third.state.contributions == (0, 0)
    np.testing.assert_array_equal(fourth.state.accumulators[0], draws(4)[3][0])
    np.testing.assert_array_equal(fourth.parameters[0], third.parameters[0])


def test_missing_gradient_leaves_a_variable_alone() -> None:
    """No step, no decay, no slot; the other variable moves and the counters count."""
    rule = make_rule("adam", weight_decay=0.5)
    (result,) = run(rule, [(None, np.array(1.0))])
    np.testing.assert_array_equal(result.parameters[0], START[0])
    np.testing.assert_array_equal(result.state.slots[0]["momentum"], [0.0, 0.0])
    assert result.clipped is not None
    assert result.clipped[0] is None
    assert result.parameters[1] != START[1]
    assert result.state.updates == 1


@pytest.mark.parametrize("missing", [0, 1])
def test_missing_gradient_within_a_window_counts_as_zero(missing: int) -> None:
    """Whichever micro-step lacks the gradient, the mean over the window is that of one batch."""
    rule = make_rule("sgd", gradient_accumulation_steps=2)
    steps: list[tuple[Float64 | None, Float64]] = [(np.array([2.0, 4.0]), np.array(0.0))] * 2
    steps[missing] = (None, np.array(0.0))
    result = run(rule, steps)[-1]
    assert result.parameters[0].tolist() == [0.5, 1.0]


def test_variable_without_gradient_in_a_whole_window_stays() -> None:
    """It has no gradient in the update either, so it does not decay."""
    rule = make_rule("sgd", gradient_accumulation_steps=2, weight_decay=0.5)
    result = run(rule, [(None, np.array(1.0))] * 2)[-1]
    np.testing.assert_array_equal(result.parameters[0], START[0])
    assert result.clipped is not None
    assert result.clipped[0] is None


def test_non_finite_gradient_skips_everything() -> None:
    """Weights, slots, averages, accumulators and counters stay; only the scale halves."""
    rule = make_rule(
        "adam",
        loss_scale=DynamicLossScale(initial_scale=8.0, dynamic_growth_steps=2),
        use_ema=True,
        gradient_accumulation_steps=2,
    )
    good = draws(4)
    bad = (np.array([1.0, np.inf]), np.array(1.0))
    results = run(rule, [good[0], bad, good[1], good[2], good[3]])
    clean = run(rule, good)
    skipped = results[1]
    assert skipped.skipped
    assert not skipped.updated
    assert skipped.clipped is None
    assert skipped.state.iterations == 1
    np.testing.assert_array_equal(skipped.state.accumulators[0], good[0][0])
    assert [r.state.scale for r in results] == [8.0, 4.0, 4.0, 8.0, 8.0]
    assert [r.state.finite_steps for r in results] == [1, 0, 1, 0, 1]
    np.testing.assert_array_equal(results[-1].parameters[0], clean[-1].parameters[0])
    np.testing.assert_array_equal(results[-1].state.averages[0], clean[-1].state.averages[0])


def test_fixed_scale_changes_nothing_but_the_recorded_scale() -> None:
    """Gradients arrive unscaled, so a fixed factor only shows in the state; NaN is applied."""
    plain = run(make_rule("adam"), draws(3))[-1]
    scaled = run(make_rule("adam", loss_scale=128.0), draws(3))[-1]
    assert scaled.state.scale == 128.0
    np.testing.assert_array_equal(plain.parameters[0], scaled.parameters[0])
    (result,) = run(make_rule("sgd", loss_scale=2), [(np.array([np.nan, 0.0]), np.array(0.0))])
    assert result.updated
    np.testing.assert_array_equal(result.parameters[0], [np.nan, 2.0])


def test_averages_follow_and_overwrite() -> None:
    """Weights 3.5, then 3; average 3.5, then 3.25, which overwrites; the third goes on from it."""
    rule = make_rule("sgd", use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=2)
    results = run(rule, [(np.zeros(2), np.array(1.0))] * 3)
    assert [r.parameters[1].item() for r in results] == [3.5, 3.25, 2.75]
    assert [r.state.averages[1].item() for r in results] == [3.5, 3.25, 3.0]


def test_finalisation_leaves_the_averages() -> None:
    """With EMA the averages remain, without it or before any update the weights do."""
    rule = make_rule("sgd", use_ema=True, ema_momentum=0.5)
    last = run(rule, [(np.zeros(2), np.array(1.0))] * 2)[-1]
    assert finalized_parameters(rule, last.state, last.parameters)[1] == 3.25
    assert finalized_parameters(rule, initial_state(rule, START), START)[1] == 4.0
    plain = make_rule("sgd")
    assert finalized_parameters(plain, initial_state(plain, START), START)[1] == 4.0


def test_no_gradient_at_all_is_refused() -> None:
    """As in Keras, at least one variable needs a gradient."""
    with pytest.raises(ArgumentError) as caught:
        run(make_rule("sgd"), [(None, None)])
    assert str(caught.value) == (
        "gradients must hold at least one array, got None for every variable."
    )


def test_shapes_and_counts_are_checked() -> None:
    """Gradients of another shape or number and a mask of another length are refused."""
    with pytest.raises(ShapeError, match=r"^gradients\[1\] must have shape \(\), got \(2,\)\."):
        run(make_rule("sgd"), [(np.zeros(2), np.zeros(2))])
    with pytest.raises(ShapeError, match=r"^gradients must hold 2 entries, got 1\."):
        run(make_rule("sgd"), [(np.zeros(2),)])
    with pytest.raises(ShapeError, match=r"^decay_mask must hold 2 entries, got 1\."):
        initial_state(make_rule("sgd", decay_mask=(True,)), START)


def test_state_can_be_built_from_a_recording() -> None:
    """A replay that starts in the middle gives the same step as the run it was taken from."""
    rule = make_rule("adam")
    whole = run(rule, draws(4))
    state = OptimizerState(
        iterations=3,
        updates=3,
        slots=whole[2].state.slots,
        accumulators=(),
        contributions=(),
        averages=(),
        scale=1.0,
        finite_steps=0,
    )
    again = apply_gradients(rule, state, whole[2].parameters, draws(4)[3], learning_rate=0.5)
    np.testing.assert_array_equal(again.parameters[0], whole[3].parameters[0])
