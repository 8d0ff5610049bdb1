"""A process that trains one epoch whenever it is asked to, observed or not, and says what it cost.

python -m tests.performance.observed_worker (bare|observed) (fit|loop)
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable

STEPS = 400


def fit() -> Callable[[], None]:
    """An epoch of `fit` on a tiny model, without what `fit` does before it."""
    import keras
    import numpy as np
    import tensorflow as tf

    x = np.random.default_rng(0).normal(size=(16 * STEPS, 8)).astype("float32")
    data = tf.data.Dataset.from_tensor_slices((x, x[:, :1])).batch(16).cache()
    model = keras.Sequential([keras.layers.Dense(32, activation="relu"), keras.layers.Dense(1)])
    model.compile(optimizer="adam", loss="mse")
    return lambda: model.fit(data, verbose=0)


def loop() -> Callable[[], None]:
    """An epoch of a compiled loop of one's own."""
    import keras
    import numpy as np
    import tensorflow as tf

    x = np.random.default_rng(0).normal(size=(16 * STEPS, 8)).astype("float32")
    data = tf.data.Dataset.from_tensor_slices((x, x[:, :1])).batch(16).cache()
    model = keras.Sequential([keras.layers.Dense(32, activation="relu"), keras.layers.Dense(1)])
    optimizer = keras.optimizers.Adam()

    def step(features: object, target: object) -> None:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(features) - target) ** 2)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))

    compiled = tf.function(step)

    def epoch() -> None:
        for features, target in data:
            compiled(features, target)

    return epoch


def main(how: str, what: str) -> None:
    """Answer each line of the input with the seconds of wall and of processor time of one epoch."""
    answers = os.dup(1)
    os.dup2(2, 1)
    with tempfile.TemporaryFile() as journal:
        if how == "observed":
            from harness.diagnosis.child import observe

            observe(journal.fileno())
        epoch = {"fit": fit, "loop": loop}[what]()
        epoch()
        os.write(answers, b"ready\n")
        for _ in sys.stdin:
            wall, processor = time.perf_counter(), time.process_time()
            epoch()
            wall, processor = time.perf_counter() - wall, time.process_time() - processor
            os.write(answers, f"{wall / STEPS} {processor / STEPS}\n".encode())
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
