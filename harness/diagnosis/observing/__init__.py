"""What is wrapped in the process of the script, and only there: Keras' entry points.

Nothing here changes what a training computes. Figures of single steps are written inside the
graph and read in bulk; the rest happens once an epoch or once a call.
"""
