"""A project with two keys, window and as-of views, and rows for it in any number."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from featurestore.store.columns import UTC_MICROS
from tests.cluster.project import write_project

AMOUNT = 1_000.0
"""No amount of a payment is greater."""
_START, _DAY = 1_767_225_600_000_000, 86_400_000_000
_DAYS = 60
_DEFINITIONS = """
import os
import time
import uuid
from pathlib import Path

import pyarrow.compute as pc

import featurestore as fs

SIGNS, BEFORE = Path({signs!r}), {before}


def shared(inputs):
    \"\"\"Some calls pass with a sign, and all later ones wait until the test says go.\"\"\"
    while not (SIGNS / "go").exists() and len(list(SIGNS.glob("passed-*"))) >= BEFORE:
        (SIGNS / f"task-{{os.getpid()}}").touch()
        time.sleep(0.05)
    if not (SIGNS / "go").exists():
        (SIGNS / f"passed-{{uuid.uuid4()}}").touch()
    return {{"share": pc.divide(inputs["items_sum_7d"], inputs["shop_max_7d"])}}


card = fs.Entity("card", join_keys=fs.Field("card_id", fs.String))
merchant = fs.Entity("merchant", join_keys=fs.Field("merchant_id", fs.Int64))
payments = fs.FileSource(
    "payments", path="payments", format="parquet", timestamp_field="at",
    available_timestamp_field="known_at",
)
card_activity = fs.FeatureView(
    "card_activity",
    entities=card,
    source=payments,
    schema=(fs.Field("amount", fs.Float64), fs.Field("items", fs.Int64)),
    aggregations=(
        fs.Aggregation("amount", "sum", windows=("1d", "7d")),
        fs.Aggregation("amount", "mean", windows=("7d",)),
        fs.Aggregation("items", "sum", windows=("7d",)),
        fs.Aggregation("*", "count", windows=("7d",)),
    ),
)
last_payment = fs.FeatureView(
    "last_payment",
    entities=card,
    source=payments,
    schema=(fs.Field("country", fs.String), fs.Field("items", fs.Int64)),
    ttl="20d",
)
shop_activity = fs.FeatureView(
    "shop_activity",
    entities=merchant,
    source=payments,
    schema=fs.Field("amount", fs.Float64),
    aggregations=(
        fs.Aggregation("amount", "sum", windows=("7d",), name="shop_sum"),
        fs.Aggregation("amount", "max", windows=("7d",), name="shop_max"),
    ),
)
share = fs.OnDemandFeatureView(
    "share",
    sources=(card_activity, shop_activity),
    schema=fs.Field("share", fs.Float64),
    transform=shared,
)
large = fs.FeatureService("large", features=(card_activity, last_payment, shop_activity, share))
"""


@dataclass(frozen=True)
class Large:
    """A project, its spine, and what its tasks and a test tell each other by files.

    Args:
        folder: The project.
        spine: A Parquet file with keys, moments, and a number ``row`` of each row.
    """

    folder: Path
    spine: Path

    def waiting_task(self) -> int:
        """Wait until some calls have passed and a task waits, and return its process."""
        end = time.monotonic() + 1_800
        while not (tasks := list(self._signs.glob("task-*"))):
            if time.monotonic() > end:
                raise TimeoutError("no task waits")
            time.sleep(0.05)
        return int(tasks[0].name.removeprefix("task-"))

    def go(self) -> None:
        """Let all tasks through, also later ones."""
        (self._signs / "go").touch()

    def stop(self) -> None:
        """Let only the first calls through from now on."""
        for sign in self._signs.iterdir():
            sign.unlink()

    @property
    def _signs(self) -> Path:
        return self.folder / "signs"


def large_project(
    folder: Path, settings: Mapping[str, str], *, stored: int, spine_rows: int, before: int
) -> Large:
    """Write a project whose on-demand feature waits after some calls, its source and its spine.

    Args:
        folder: Its folder.
        settings: Spark's settings.
        stored: The number of payments.
        spine_rows: The number of rows of the spine.
        before: The number of calls of the on-demand feature that do not wait.
    """
    (folder / "signs").mkdir(parents=True)
    (folder / "definitions").mkdir()
    text = _DEFINITIONS.format(signs=str(folder / "signs"), before=before)
    (folder / "definitions" / "__init__.py").write_text(text, encoding="utf-8")
    write_project(folder, settings, "definitions")
    rng = np.random.default_rng(17)
    (folder / "payments").mkdir()
    pq.write_table(_payments(rng, stored), folder / "payments" / "0.parquet")
    pq.write_table(_spine(rng, spine_rows, stored), folder / "spine.parquet")
    return Large(folder, folder / "spine.parquet")


def _payments(rng: np.random.Generator, rows: int) -> pa.Table:
    moments = _moments(rng, rows)
    late = np.where(rng.random(rows) < 0.05, rng.integers(0, 3 * _DAY, rows), 0)
    countries = pa.array(["AT", "CH", "DE", "FR", None])
    return pa.table(
        _keys(rng, rows, rows)
        | {
            "at": pa.array(moments, UTC_MICROS),
            "known_at": pa.array(moments + late, UTC_MICROS),
            "amount": rng.random(rows) * AMOUNT,
            "items": rng.integers(1, 9, rows),
            "country": countries.take(pa.array(rng.integers(0, 5, rows))),
        }
    )


def _spine(rng: np.random.Generator, rows: int, stored: int) -> pa.Table:
    return pa.table(
        _keys(rng, rows, stored)
        | {"event_timestamp": pa.array(_moments(rng, rows), UTC_MICROS), "row": np.arange(rows)}
    )


def _keys(rng: np.random.Generator, rows: int, stored: int) -> dict[str, pa.Array]:
    """Return keys of which each has some twenty payments, one of them a tenth of all rows."""
    cards = rng.integers(0, max(2, stored // 20), rows)
    cards[rng.random(rows) < 0.1] = 0
    texts = pa.array([f"c{number:07d}" for number in range(max(2, stored // 20))])
    return {
        "card_id": texts.take(pa.array(cards)),
        "merchant_id": pa.array(rng.integers(0, max(2, stored // 200), rows)),
    }


def _moments(rng: np.random.Generator, rows: int) -> np.ndarray:
    return _START + rng.integers(0, _DAYS * _DAY, rows)
