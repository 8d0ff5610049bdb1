"""Runs a training in a process of its own, watches it, and says why it ended if it died.

`ForkServer` has imported TensorFlow and Keras and run no operation; it forks a child a run. `watch`
keeps a child within its limits and gathers the evidence; `classify` makes a stop reason of it.
"""
