"""The rows of the repository: ties, rows at the edges of a ttl, late rows, nulls."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

START = datetime(2026, 3, 1)  # noqa: DTZ001 - Feast's files have times without a zone
DRIVERS, HOURS, ZONES = 12, 120, ("north", "south", "port")


def write_rows(folder: Path) -> None:
    """Write the files of the repository's sources to its folder."""
    data = folder / "data"
    data.mkdir(exist_ok=True)
    pq.write_table(_trips(), data / "trips.parquet")
    pq.write_table(_prices(), data / "zone prices.parquet")
    complaints = {"driver_id": [1], "event_timestamp": [START], "complained": [1]}
    pq.write_table(pa.table(complaints), data / "complaints.parquet")


def spine() -> pa.Table:
    """Rows that need features. No two have the same keys and moment."""
    chance = random.Random(11)
    edges = [timedelta(), timedelta(days=2), timedelta(days=2, microseconds=1)]
    rows = {}
    for _ in range(400):
        moment = START + timedelta(hours=chance.randrange(-2, HOURS + 50)) + chance.choice(edges)
        zones = chance.choices((*ZONES, "nowhere"), k=3)
        key = (chance.randrange(1, DRIVERS + 2), *zones, moment)
        rows[key] = {"km": float(chance.randrange(0, 30)), "returned": chance.random() < 0.5}
    names = ("driver_id", "zone", "from_zone", "to_zone", "event_timestamp")
    listed = [
        {
            **dict(zip(names, key, strict=True)),
            **row,
            "event_timestamp": key[-1].replace(tzinfo=UTC),
        }
        for key, row in rows.items()
    ]
    return pa.Table.from_pylist(listed)


def _trips() -> pa.Table:
    chance = random.Random(7)
    rows = []
    for driver in range(1, DRIVERS + 1):
        for hour in range(0, HOURS, 1 + driver % 5):
            # Rows of one event time have different created times: else Feast takes any of them.
            for attempt in range(1 + (hour % 7 == 0)):
                at = START + timedelta(hours=hour)
                rows.append(
                    {
                        "event_timestamp": at,
                        "created": at + timedelta(days=40, minutes=7 * attempt),
                        "driver_id": driver,
                        "conv": None if chance.random() < 0.1 else chance.random(),
                        "trips-today": chance.randrange(30),
                        "device": '{"os": "x"}',
                        "bonus": Decimal(chance.randrange(10_000)) / 100,
                        "last_zones": chance.sample(ZONES, 2),
                    }
                )
    chance.shuffle(rows)
    schema = pa.schema(
        [
            ("event_timestamp", pa.timestamp("us")),
            ("created", pa.timestamp("us")),
            ("driver_id", pa.int64()),
            ("conv", pa.float32()),
            ("trips-today", pa.int64()),
            ("device", pa.string()),
            ("bonus", pa.decimal128(10, 2)),
            ("last_zones", pa.list_(pa.string())),
        ]
    )
    return pa.Table.from_pylist(rows, schema)


def _prices() -> pa.Table:
    chance = random.Random(5)
    rows = [
        {
            "day": START.replace(tzinfo=UTC) + timedelta(days=day),
            "zone": zone,
            "price": chance.randrange(100) / 10,
        }
        for zone in ZONES
        for day in range(0, 6, 2)
    ]
    schema = pa.schema(
        [("day", pa.timestamp("us", "UTC")), ("zone", pa.string()), ("price", pa.float64())]
    )
    return pa.Table.from_pylist(rows, schema)
