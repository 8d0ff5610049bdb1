"""The tables of a history as they are now; `migrations` says how they came to be so."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Double, Integer, MetaData, Table, Text

__all__ = [
    "ACKNOWLEDGEMENTS",
    "ENVIRONMENTS",
    "MEASUREMENTS",
    "METADATA",
    "QUARANTINES",
    "SCHEMA",
    "SERIES",
]

METADATA: Final = MetaData()

SCHEMA: Final = Table(
    "harness_schema",
    METADATA,
    Column("version", Integer, primary_key=True),
)
"""One row for each migration that was made."""

ENVIRONMENTS: Final = Table(
    "environments",
    METADATA,
    Column("fingerprint", Text, primary_key=True),
    Column("detail", Text, nullable=False),
)

SERIES: Final = Table(
    "series",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("scenario", Text, nullable=False),
    Column("metric", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("better", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("definition", Text, nullable=False),
)

MEASUREMENTS: Final = Table(
    "measurements",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("series", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("value", Double),
    Column("revision", Text, nullable=False),
    Column("committed", BigInteger),
    Column("branch", Text, nullable=False),
    Column("dirty", Integer, nullable=False),
    Column("samples", Text),
)
"""Times are microseconds since 1970. No value stands for NaN, which SQLite does not store."""

ACKNOWLEDGEMENTS: Final = Table(
    "acknowledgements",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("scenario", Text, nullable=False),
    Column("metric", Text, nullable=False),
    Column("revision", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("time", BigInteger, nullable=False),
)
"""From `position` on, a series of that scenario and metric starts anew."""

QUARANTINES: Final = Table(
    "quarantines",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("scenario", Text, nullable=False),
    Column("metric", Text, nullable=False),
    Column("revision", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("until", BigInteger),
)
"""An empty metric stands for all of the scenario's."""
