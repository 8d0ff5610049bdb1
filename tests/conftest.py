"""Settings of our own tests; the bundled scenarios bring theirs from the harness's profiles."""

from hypothesis import settings

# The same examples on every run: a red run is a change of the code, not of the dice.
settings.register_profile("harness-tests", derandomize=True, deadline=None, database=None)
settings.load_profile("harness-tests")
