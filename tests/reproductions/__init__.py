"""Live defects of Keras, each shown by a script in `docs/reproductions` that needs Keras alone.

``python -m tests.reproductions`` runs them on the Keras that is installed and prints which it has.
"""
