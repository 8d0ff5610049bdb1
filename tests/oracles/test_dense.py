"""Dense layers: forward by hand, backward by finite differences."""

import numpy as np
import pytest

from harness.errors import ShapeError
from harness.oracles.arrays import Float64
from harness.oracles.dense import (
    Activation,
    DenseLayer,
    activate,
    backward,
    forward,
    loss_and_gradients,
    parameters_of,
    with_parameters,
)
from harness.oracles.penalties import Penalty

RNG = np.random.default_rng(3)
X = RNG.normal(size=(6, 4))
ACTIVATIONS: tuple[Activation, ...] = ("linear", "relu", "tanh", "sigmoid", "softmax")


def stack(hidden: Activation, last: Activation, outputs: int = 3) -> tuple[DenseLayer, ...]:
    """Return two layers, the first one without bias and with L2 regularisation."""
    rng = np.random.default_rng(11)
    return (
        DenseLayer(rng.normal(size=(4, 5)), None, hidden, Penalty(l2=0.01)),
        DenseLayer(rng.normal(size=(5, outputs)), rng.normal(size=outputs), last),
    )


def check_gradients(layers: tuple[DenseLayer, ...], y: Float64, loss: str) -> None:
    """Compare every derivative with a central difference."""
    weights = np.linspace(0.5, 2.0, len(X))
    found = loss_and_gradients(layers, X, y, loss, sample_weight=weights).gradients
    parameters = parameters_of(layers)
    assert len(found) == len(parameters) == 3
    for which, parameter in enumerate(parameters):
        for index in np.ndindex(parameter.shape):
            values = []
            for sign in (1, -1):
                moved = [p.copy() for p in parameters]
                moved[which][index] += sign * 1e-6
                shifted = with_parameters(layers, moved)
                values.append(loss_and_gradients(shifted, X, y, loss, sample_weight=weights).loss)
            slope = (values[0] - values[1]) / 2e-6
            assert found[which][index] == pytest.approx(slope, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("last", ACTIVATIONS)
@pytest.mark.parametrize("hidden", ACTIVATIONS)
def test_gradients_of_every_activation(hidden: Activation, last: Activation) -> None:
    """Backward meets finite differences, regularisation and weights included."""
    check_gradients(stack(hidden, last), RNG.normal(size=(6, 3)), "mean_squared_error")


@pytest.mark.parametrize(
    ("last", "loss"),
    [
        ("softmax", "categorical_crossentropy"),
        ("softmax", "sparse_categorical_crossentropy"),
        ("sigmoid", "binary_crossentropy"),
    ],
)
def test_gradients_through_the_logits(last: Activation, loss: str) -> None:
    """A crossentropy after its own activation is differentiated through the logits."""
    classes = np.array([0, 1, 2, 2, 1, 0])
    y = classes if loss.startswith("sparse") else np.eye(3)[classes]
    check_gradients(stack("tanh", last), y, loss)


def test_logits_spare_the_clip() -> None:
    """A hopeless prediction costs its margin of 100, not -log(1e-7), and is still returned."""
    layer = DenseLayer(np.array([[-100.0]]), None, "sigmoid")
    result = loss_and_gradients((layer,), np.ones((1, 1)), np.ones((1, 1)), "binary_crossentropy")
    assert result.loss == pytest.approx(100.0)
    assert result.gradients[0].item() == pytest.approx(-1.0)
    np.testing.assert_allclose(result.predictions, [[np.exp(-100.0)]], rtol=1e-12)


def test_forward_by_hand() -> None:
    """(1, 2) @ ((1), (3)) + 0.5 = 7.5, then relu of -7.5 = 0."""
    layers = (
        DenseLayer(np.array([[1.0], [3.0]]), np.array([0.5])),
        DenseLayer(np.array([[-1.0]]), None, "relu"),
    )
    outputs = forward(layers, np.array([[1.0, 2.0]]))
    assert [output.tolist() for output in outputs] == [[[1.0, 2.0]], [[7.5]], [[0.0]]]


def test_regularisation_adds_the_sum_of_squares() -> None:
    """A perfect prediction of a kernel (3, 4) with factor 0.1 costs 2.5."""
    layer = DenseLayer(np.array([[3.0], [4.0]]), None, "linear", Penalty(l2=0.1))
    result = loss_and_gradients((layer,), np.eye(2), layer.kernel, "mean_squared_error")
    assert result.loss == pytest.approx(2.5)
    np.testing.assert_allclose(result.gradients[0], 0.2 * layer.kernel)


def test_softmax_does_not_overflow() -> None:
    """Large logits give probabilities."""
    result = activate(np.array([[1e4, 0.0]]), "softmax")
    np.testing.assert_array_equal(result, [[1.0, 0.0]])


def test_shapes_are_checked() -> None:
    """Foreign parameters and gradients are refused."""
    layers = stack("relu", "linear")
    kernel, second, bias = parameters_of(layers)
    with pytest.raises(ShapeError, match=r"^kernel must have shape \(4, 5\), got \(5, 3\)\."):
        with_parameters(layers, (second, kernel, bias))
    with pytest.raises(ShapeError, match=r"^bias must have shape \(3,\), got \(2,\)\."):
        with_parameters(layers, (kernel, second, np.zeros(2)))
    with pytest.raises(ShapeError, match=r"^gradient must have shape \(6, 3\), got \(6, 2\)\."):
        backward(layers, forward(layers, X), np.zeros((6, 2)))


def test_a_loss_weight_leaves_the_penalties_alone() -> None:
    """Loss and gradients are scaled, and the penalty is added as it is."""
    y = RNG.normal(size=(6, 3))
    bare = tuple(layer._replace(penalty=Penalty()) for layer in stack("tanh", "linear"))
    once, penalised = (
        loss_and_gradients(layers, X, y, "mean_squared_error")
        for layers in (bare, stack("tanh", "linear"))
    )
    weighed = loss_and_gradients(bare, X, y, "mean_squared_error", loss_weight=0.5)
    both = loss_and_gradients(stack("tanh", "linear"), X, y, "mean_squared_error", loss_weight=0.5)
    assert weighed.loss == 0.5 * once.loss
    for got, whole in zip(weighed.gradients, once.gradients, strict=True):
        np.testing.assert_allclose(got, 0.5 * whole)
    assert both.loss - weighed.loss == pytest.approx(penalised.loss - once.loss)
