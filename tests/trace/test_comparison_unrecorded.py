"""What one of two traces did not record cannot be compared, and the message says what to do."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.errors import HarnessUsageError
from harness.trace import Trace, compare_traces

Maker = Callable[..., Trace]


@pytest.mark.parametrize(
    ("quantity", "changes", "remedy"),
    [
        ("state", {"state": None}, 'Record it by Recording.of("state").'),
        ("predictions", {"predictions": None}, "Predict after training."),
        ("evaluation", {"evaluation": None}, "Evaluate after training."),
    ],
)
def test_unrecorded_part(
    make_trace: Maker, trace: Trace, quantity: str, changes: dict[str, None], remedy: str
) -> None:
    """What one trace lacks cannot be compared, and the message tells how to get it."""
    for pair in ((make_trace(**changes), trace), (trace, make_trace(**changes))):
        with pytest.raises(HarnessUsageError) as caught:
            compare_traces(*pair, quantities=[quantity])
        assert remedy in str(caught.value)


@pytest.mark.parametrize(
    ("quantity", "column", "part"),
    [
        ("losses", "loss", "norms"),
        ("gradient_norms", "gradient_norm", "norms"),
        ("samples", "sample_ids", "samples"),
    ],
)
def test_unrecorded_column(trace: Trace, quantity: str, column: str, part: str) -> None:
    """A missing column is answered with the recording that fills it."""
    missing: dict[str, Any] = {column: None}
    blind = replace(trace, steps=replace(trace.steps, **missing))
    for pair in ((blind, trace), (trace, blind)):
        with pytest.raises(HarnessUsageError) as caught:
            compare_traces(*pair, quantities=[quantity])
        assert str(caught.value) == (
            f"{quantity} must be recorded in both traces to be compared, got a trace without. "
            f'Record it by Recording.of("{part}").'
        )


def test_norms_that_are_nan_throughout_were_not_recorded(trace: Trace) -> None:
    """Two columns of NaN must not pass for equal norms; one column of NaN is a mismatch."""
    column = np.full(4, np.nan)
    blind = replace(trace, steps=replace(trace.steps, gradient_norm=column, clipped_norm=None))
    with pytest.raises(HarnessUsageError, match="gradient_norms must be recorded"):
        compare_traces(blind, blind, quantities=["gradient_norms"])
    assert len(compare_traces(blind, trace, quantities=["gradient_norms"])) == 1
