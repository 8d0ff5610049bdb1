"""Saves a model between two fits, loads it, and lets the pipeline go on with what was loaded."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from harness.pipeline.backend import import_keras

if TYPE_CHECKING:
    from harness.pipeline.pipeline import TrainingPipeline
    from harness.spec.pipeline import PipelineSpec
    from harness.spec.training import SavedAs

__all__ = ["save_and_load"]


def save_and_load(pipeline: TrainingPipeline, spec: PipelineSpec, how: SavedAs) -> None:
    """Put what a file holds in the place of the pipeline's model.

    Args:
        pipeline: Trained; its model is replaced.
        spec: What it was built of.
        how: ``model`` and ``h5`` are a whole model, optimizer included; ``weights`` goes into a
            model that is built and compiled anew; ``nothing`` leaves everything as it is.
    """
    with tempfile.TemporaryDirectory(prefix="harness-", ignore_cleanup_errors=True) as folder:
        match how:
            case "nothing":
                return
            case "model" | "h5":
                path = Path(folder, "saved.keras" if how == "model" else "saved.h5")
                pipeline.model.save(path)
                pipeline.replace_model(spec, import_keras().saving.load_model(path))
            case "weights":
                path = Path(folder, "saved.weights.h5")
                pipeline.model.save_weights(path)
                pipeline.build_again(spec)
                pipeline.model.load_weights(path)
            case _:
                assert_never(how)
