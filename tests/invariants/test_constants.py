"""What of an optimizer's table becomes a constant of the oracle's rule, and a mask."""

from typing import Any

from harness.invariants.constants import adam_mask, hyperparameters
from harness.spec.optimizer import MuonSpec, SGDSpec
from harness.trace import VariableInfo

SHAPES: dict[str, tuple[int, ...]] = {
    "mlp/dense/kernel": (2, 3),
    "mlp/dense/bias": (3,),
    "net/Embedding_1/table": (8, 2),
    "mlp/out/kernel": (3, 1),
    "net/conv/kernel": (2, 2, 1),
}
VARIABLES = tuple(
    VariableInfo(path=path, shape=shape, dtype="float32", role="trainable")
    for path, shape in SHAPES.items()
)


def mask(**arguments: Any) -> tuple[bool, ...] | None:
    """Return what Muon leaves to Adam."""
    return adam_mask(MuonSpec(**arguments), VARIABLES)


def test_matrices_are_for_muon() -> None:
    """All others, embeddings and what a pattern is found in are for Adam."""
    assert mask() == (False, True, True, False, True)
    assert mask(exclude_embeddings=False) == (False, True, False, False, True)
    assert mask(exclude_layers=("o.t/", "nowhere")) == (False, True, True, True, True)
    assert adam_mask(SGDSpec(), VARIABLES) is None


def test_only_constants_are_left() -> None:
    """Neither what every optimizer has nor what only selects variables."""
    assert hyperparameters(SGDSpec(momentum=0.5)) == {"momentum": 0.5, "nesterov": False}
    assert not {"exclude_layers", "prebuilt", "built_by"} & set(hyperparameters(MuonSpec()))
