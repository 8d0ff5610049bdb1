"""Runs somebody's unchanged training script under observation and says what was wrong with it.

`observing` lives in the child alone and writes a journal; `observation` reads it back as frozen
data; `rules` are pure functions from that to findings; `report` and `document` show them.
"""
