"""Float64 truth about training, as pure functions over arrays and plain numbers.

Each module implements documented behaviour of Keras (or, where a document is silent, of the
cited paper) in NumPy. Nothing here imports Keras, reads a scenario or keeps state between calls:
code shared with the thing under test would share its faults.

Where a document leaves a choice, the principle "k accumulated micro-batches equal one batch of
k times the size" decides.
"""
