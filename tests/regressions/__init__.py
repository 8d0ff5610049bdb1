"""Defects of released Keras versions that are mended by now: the scenarios must still see them.

``python -m tests.regressions`` lays the last release with each defect, and the first without it,
over the installed TensorFlow, runs the scenarios that are about it, and prints what they said.
"""
