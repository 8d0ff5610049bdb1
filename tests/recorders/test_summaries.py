from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import tensorflow as tf

from harness.recorders.summaries import is_summary_file, summary_events

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("tensorboard")


def test_scalars_and_histograms_are_read(tmp_path: Path) -> None:
    """Text and other summaries have neither value nor range."""
    folder = tmp_path / "train"
    with tf.summary.create_file_writer(str(folder)).as_default():
        tf.summary.scalar("loss", 0.5, step=3)
        tf.summary.histogram("kernel", [1.0, 2.0, 4.0], step=1)
        tf.summary.histogram("nothing", [], step=1)
        tf.summary.text("note", "hello", step=0)
    (path,) = folder.iterdir()
    assert is_summary_file(path)
    assert not is_summary_file(folder / "log.csv")
    loss, kernel, nothing, note = summary_events(path)
    assert (loss.name, dict(loss.detail)) == ("loss", {"run": "train", "step": 3, "value": 0.5})
    assert kernel.detail["count"] == 3.0
    assert (kernel.detail["low"], kernel.detail["high"]) == (1.0, 4.0)
    assert nothing.detail["count"] == 0.0
    assert note.name in {"note/text_summary", "note"}
    assert "value" not in note.detail
