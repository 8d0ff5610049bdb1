"""From Keras to a trace: what is recorded inside the graph, at callbacks and of the process."""
