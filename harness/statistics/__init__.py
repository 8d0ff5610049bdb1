"""What figures can and cannot say, as pure functions over arrays and plain numbers.

Ratios of interleaved pairs, equivalence over seeds, change points in a history, exact intervals of
counts. Nothing here reads a clock, a file of results or a scenario, and nothing draws at random:
the same figures give the same verdict.
"""
