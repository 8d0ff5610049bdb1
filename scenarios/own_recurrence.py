# ruff: noqa: INP001, TID253 - no package, and loaded by the scenarios that name it
"""Recurrent computations, each written in two ways that Keras documents to be the same."""

from __future__ import annotations

from typing import Any

import keras

__all__ = ["recurrent_text"]

UNITS = 2
VOCABULARY = 8
BATCH = 4


def start(seed: int) -> Any:
    """First weights that depend on nothing that was made before them."""
    return keras.initializers.RandomUniform(-1.0, 1.0, seed=seed)


def starts(seed: int) -> dict[str, Any]:
    """The first weights of a cell."""
    return {"kernel_initializer": start(seed), "recurrent_initializer": start(seed + 1)}


class ReadsText(keras.Model):  # type: ignore[misc]
    """Reads texts of tokens, of which 0 is padding, in three ways, and puts out a number.

    Attributes:
        whole: One layer reads all; else there is one for each part of the work.
        told: Whether layers that get initial states are told the mask, or find it.
    """

    def __init__(self, whole: bool, unroll: bool, told: bool, dropout: float) -> None:  # noqa: FBT001
        super().__init__()
        self.whole, self.told = whole, told
        noise = {"recurrent_dropout": dropout, "seed": 1}
        self.table = keras.layers.Embedding(
            VOCABULARY, UNITS, embeddings_initializer=start(0), mask_zero=True
        )
        self.last = keras.layers.Dense(1, kernel_initializer=start(1))
        # Two cells, one above the other.
        first = keras.layers.SimpleRNNCell(UNITS, **starts(2))
        second = keras.layers.GRUCell(UNITS, **starts(4), **noise)
        above = {"return_sequences": True, "unroll": True}
        stack = [keras.layers.RNN(first, **above), keras.layers.RNN(second, unroll=True)]
        self.stack = [keras.layers.RNN([first, second], unroll=True)] if whole else stack
        # From both ends, from states of its own: each direction has a zero where there is padding.
        both = {"return_sequences": True, "zero_output_for_mask": True, "unroll": unroll}
        self.ahead = keras.layers.SimpleRNN(UNITS, **starts(6), **both)
        self.back = keras.layers.SimpleRNN(UNITS, **starts(8), **both, go_backwards=True)
        if whole:
            self.both = keras.layers.Bidirectional(self.ahead, backward_layer=self.back)
        # No gradient flows through a state that is kept: there is none for the layer at all.
        kept = {"stateful": not whole, "trainable": False, "unroll": True}
        self.kept = keras.layers.LSTM(UNITS, **starts(10), **kept)
        self.kept.build((BATCH, None, UNITS))

    def build(self, input_shape: Any) -> None:  # noqa: ARG002 - Keras hands it over
        self.built = True  # the first call builds the layers

    def call(self, tokens: Any, training: Any = None) -> Any:
        numbers, mask = self.table(tokens), keras.ops.not_equal(tokens, 0)
        stacked = numbers
        for layer in self.stack:
            stacked = layer(stacked, training=training)
        ends = self.from_both_ends(numbers, mask if self.told else None)
        numbers = keras.ops.stop_gradient(numbers)
        if not self.whole:
            self.kept.reset_state()
            self.kept(numbers[:, :2], mask=mask[:, :2])
            numbers, mask = numbers[:, 2:], mask[:, 2:]
        kept = self.kept(numbers, mask=mask)
        return self.last(keras.ops.concatenate([stacked, ends, kept], axis=-1))

    def from_both_ends(self, numbers: Any, mask: Any) -> Any:
        """The sum over the steps."""
        states = [numbers[:, step] for step in (0, 1)]
        if self.whole:
            return keras.ops.sum(self.both(numbers, initial_state=states, mask=mask), axis=1)
        ahead = self.ahead(numbers, initial_state=states[:1], mask=mask)
        back = keras.ops.flip(self.back(numbers, initial_state=states[1:], mask=mask), axis=1)
        return keras.ops.sum(keras.ops.concatenate([ahead, back], axis=-1), axis=1)


def recurrent_text(
    whole: bool = True,  # noqa: FBT001, FBT002 - a scenario's argument
    unroll: bool = False,  # noqa: FBT001, FBT002 - a scenario's argument
    told: bool = True,  # noqa: FBT001, FBT002 - a scenario's argument
    dropout: float = 0.0,
) -> keras.Model:
    """A model that reads a text by stacked cells, from both ends, and by a layer with a state.

    Args:
        whole: One layer that reads all; else one for each part of the work.
        unroll: Both directions have an operation for each step instead of a loop.
        told: Layers that get initial states are told the mask; else they find it on their input.
        dropout: Recurrent dropout of the second cell.
    """
    model = ReadsText(whole, unroll, told, dropout)
    model(keras.ops.ones((BATCH, 3), dtype="int64"))  # at once, which is quicker than symbolically
    return model
