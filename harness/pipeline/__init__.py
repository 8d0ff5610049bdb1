"""From specs to Keras: the only layer, with the recorders, that imports it."""
