"""Projects of the tests: the example domain of card fraud, and one whose work waits for a test."""

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from deltalake import write_deltalake

ROOT = Path(__file__).parents[2]
START = datetime(2026, 1, 1, tzinfo=UTC)
_SETTINGS = """
project = "demo"
root = "store"
definitions = "{definitions}"
spark_conf = "cluster.conf"
"""


def write_project(folder: Path, settings: Mapping[str, str], definitions: str) -> Path:
    """Write a project's settings, and return its folder.

    Args:
        folder: Its folder.
        settings: Spark's settings.
        definitions: The folder of definitions.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "featurestore.toml").write_text(
        _SETTINGS.format(definitions=definitions), encoding="utf-8"
    )
    lines = [f"{name} {value}\n" for name, value in settings.items()]
    (folder / "cluster.conf").write_text("".join(lines), encoding="utf-8")
    return folder


def fraud_project(folder: Path, settings: Mapping[str, str]) -> Path:
    """Write a project with the definitions of card fraud alone."""
    source = ROOT / "feature_defs"
    for name in ("__init__.py", "fraud"):
        copy = shutil.copytree if (source / name).is_dir() else shutil.copy
        (folder / "feature_defs").mkdir(parents=True, exist_ok=True)
        copy(source / name, folder / "feature_defs" / name)
    return write_project(folder, settings, "feature_defs")


WAITING = """
import os
import time
from pathlib import Path

import pyarrow.compute as pc
from pyspark.sql import functions as F

import featurestore as fs

SIGNS = {signs!r}


def let_through():
    \"\"\"Leave a sign with the number of this process, and wait until the test says go.\"\"\"
    signs = Path(SIGNS)
    if not (signs / "go").exists():
        (signs / f"task-{{os.getpid()}}").touch()
        while not (signs / "go").exists():
            time.sleep(0.05)


def in_cents(amount):
    let_through()
    return round(amount * 100)


def counted(rows):
    return rows.withColumn("cents", F.udf(in_cents, "bigint")("amount"))


def doubled(inputs):
    let_through()
    return {{"twice": pc.multiply(inputs["cents_sum_7d"], 2)}}


card = fs.Entity("card", join_keys=fs.Field("card_id", fs.String))
payments = fs.DeltaSource("payments", path="payments", timestamp_field="at")
spending = fs.FeatureView(
    "spending",
    entities=card,
    source=payments,
    schema=fs.Field("cents", fs.Int64),
    transform=counted,
    aggregations=(
        fs.Aggregation("cents", "sum", windows=("7d",)),
        fs.Aggregation("*", "count", windows=("lifetime",), name="payments"),
    ),
)
twice = fs.OnDemandFeatureView(
    "twice", sources=spending, schema=fs.Field("twice", fs.Int64), transform=doubled
)
all_of_it = fs.FeatureService("all_of_it", features=(spending, twice))
"""
PAYMENTS = 4_000
CARDS = 37


def waiting_project(folder: Path, settings: Mapping[str, str]) -> Path:
    """Write a project whose tasks wait for `Signs`, with its source in two files.

    Its definitions are a package that no worker could import.
    """
    (folder / "signs").mkdir(parents=True)
    definitions = folder / "card_definitions"
    definitions.mkdir()
    text = WAITING.format(signs=str(folder / "signs"))
    (definitions / "__init__.py").write_text(text, encoding="utf-8")
    for part in range(2):
        write_deltalake(folder / "payments", payments(part), mode="append")
    return write_project(folder, settings, definitions.name)


def payments(part: int) -> pa.Table:
    """Half of the source's rows."""
    numbers = range(part, PAYMENTS, 2)
    return pa.table(
        {
            "card_id": [f"c{number % CARDS}" for number in numbers],
            "at": [START + timedelta(minutes=number) for number in numbers],
            "amount": [number / 100 for number in numbers],
        }
    )


def spine(rows: int = 500) -> pa.Table:
    """Rows that ask for the features of all cards, and of one that has none."""
    return pa.table(
        {
            "card_id": [f"c{number % (CARDS + 1)}" for number in range(rows)],
            "event_timestamp": [START + timedelta(minutes=7 * number) for number in range(rows)],
        }
    )


def in_order(rows: pa.Table) -> list[dict[str, object]]:
    """Return rows of a spine with their features, sorted by the spine's columns."""
    names = spine(0).column_names
    return sorted(rows.to_pylist(), key=lambda row: [row[name] for name in names])


@dataclass(frozen=True)
class Signs:
    """What tasks and a test tell each other by files.

    At the end of a block, all tasks are let through: a test that fails waits for none of them.

    Args:
        folder: The folder of a `waiting_project`.
    """

    folder: Path

    def __enter__(self) -> "Signs":
        return self

    def __exit__(self, *error: object) -> None:
        self.go()

    def waiting_tasks(self, number: int = 1) -> list[int]:
        """Wait until so many tasks wait, and return their processes."""
        end = time.monotonic() + 300
        while len(tasks := list((self.folder / "signs").glob("task-*"))) < number:
            if time.monotonic() > end:
                raise TimeoutError("no task has begun")
            time.sleep(0.05)
        return [int(task.name.removeprefix("task-")) for task in tasks]

    def go(self) -> None:
        """Let all tasks through, also later ones."""
        (self.folder / "signs" / "go").touch()

    def stop(self) -> None:
        """Let tasks wait from now on."""
        for sign in (self.folder / "signs").iterdir():
            sign.unlink()
