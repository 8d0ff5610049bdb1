"""Records how long a warm compiled step takes in many fresh processes, one after the other."""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
import os
import platform
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.performance.verdicts.noise import Noise

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from numpy.typing import NDArray

__all__ = ["RECORDING", "Recorded", "load", "record"]

RECORDING = Path(__file__).parent / "recorded.npz"

WARM_UP, STEPS = 50, 1000
BATCH, FEATURES = 64, 64
PATIENCE_SECONDS = 120.0


class Recorded(Noise):
    """Flat series put together from blocks of the recording, so that its correlation stays."""

    block = 12

    def draw(self, rng: np.random.Generator, series: int, points: int) -> NDArray[np.float64]:
        """Draw flat series with standard deviation one, shape (series, points)."""
        logs = np.log(load()[0])
        logs -= np.median(logs)
        starts = rng.integers(0, logs.size, (series, -(-points // self.block)))
        places = (starts[..., None] + np.arange(self.block)) % logs.size
        return np.asarray(logs[places].reshape(series, -1)[:, :points] / logs.std())


def load() -> tuple[NDArray[np.float64], dict[str, Any]]:
    """Return the recorded medians in seconds, in the order measured, and what they are of."""
    with np.load(RECORDING) as stored:
        return stored["seconds"], json.loads(str(stored["about"]))


def record(*, seconds: float) -> str:
    """Measure one fresh process after the other for so long; returns a line on what came out."""
    import keras
    import tensorflow as tf

    context = multiprocessing.get_context("fork")
    medians = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ours, theirs = context.Pipe(duplex=False)
        child = context.Process(target=_measure, args=(theirs,))
        child.start()
        theirs.close()
        if not ours.poll(PATIENCE_SECONDS):
            child.kill()
            child.join()
            message = f"A process has not measured its steps within {PATIENCE_SECONDS:.0f} s."
            raise TimeoutError(message)
        medians.append(ours.recv())
        child.join()
    about = {
        "command": f"python -m tests.performance.verdicts record --seconds {seconds:.0f}",
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "what": f"median of {STEPS} warm compiled train steps of an MLP in a fresh process",
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
    }
    np.savez_compressed(RECORDING, seconds=np.array(medians), about=json.dumps(about))
    return summary()


def summary() -> str:
    """One line on the recording."""
    values, about = load()
    logs = np.log(values)
    deviations = logs - np.median(logs)
    near = float(np.corrcoef(deviations[1:], deviations[:-1])[0, 1])
    return (
        f"{about['date']}: {values.size} processes on {about['cores']} cores at load "
        f"{about['load']:.1f}, Keras {about['keras']}, TensorFlow {about['tensorflow']}; "
        f"{np.median(values) * 1e6:.0f} us a step, coefficient of variation {logs.std():.1%}, "
        f"neighbours correlated by {near:.2f}"
    )


def _measure(connection: Connection) -> None:
    """In the child: build, compile, warm up, measure, send the median."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((FEATURES,)), keras.layers.Dense(256, "relu"), keras.layers.Dense(1)]
    )
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    inputs, targets = tf.random.normal((BATCH, FEATURES)), tf.random.normal((BATCH, 1))

    @tf.function  # type: ignore[untyped-decorator]
    def step() -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(inputs, training=True) - targets))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    spent = []
    for _ in range(WARM_UP + STEPS):
        begin = time.perf_counter()
        step().numpy()
        spent.append(time.perf_counter() - begin)
    connection.send(median(spent[WARM_UP:]))
    connection.close()
