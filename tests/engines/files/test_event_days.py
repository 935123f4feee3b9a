"""The days of the events in files: read without Spark, or not known."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from featurestore.definitions.model.source import FileSource
from featurestore.definitions.model.types import Field, Int64, String, Timestamp
from featurestore.engines.files.event_days import event_days
from featurestore.store.interval import Interval
from featurestore.store.source_files import FilePath

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def days_of(folder: Path, **options: object) -> Interval | None:
    source = FileSource("s", path=str(folder), timestamp_field="at", **options)  # type: ignore[arg-type]  # drawn by the test
    return event_days(source, FilePath(str(folder)).files)


@pytest.mark.parametrize(
    ("name", "text", "kind", "options"),
    [
        ("a.csv", "at,k\n2026-03-01T10:00:00Z,x\n,\n2026-03-02T23:59:59Z,y\n", Timestamp, {}),
        ("a.csv", "k,at\nx,1772359200\ny,1772495999\n", Int64, {"unit": "s"}),
        ("a.csv", "at\n2026-03-01 19:00\n2026-03-03 08:59\n", String, {"timezone": "Japan"}),
        (
            "a.json",
            '{"at": "2026-03-02T00:00Z"}\n{"at": "2026-03-01T00:00Z"}',
            Timestamp,
            {},
        ),
    ],
)
def test_times_of_text_files(
    tmp_path: Path, name: str, text: str, kind: object, options: dict[str, object]
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")

    days = days_of(tmp_path, schema=(Field("k", String), Field("at", kind)), **options)  # type: ignore[arg-type]  # drawn by the test

    assert days == Interval(DAY, DAY + timedelta(days=2))


def test_times_of_parquet_files_without_a_schema(tmp_path: Path) -> None:
    for number in range(2):
        times = pa.array([DAY + timedelta(days=number), None], pa.timestamp("ns", "UTC"))
        pq.write_table(pa.table({"at": times, "k": ["x", "y"]}), tmp_path / f"{number}.parquet")

    assert days_of(tmp_path) == Interval(DAY, DAY + timedelta(days=2))


def test_times_after_the_year_9999_are_not_known(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("at\n1772359200000\n", encoding="utf-8")

    assert days_of(tmp_path, schema=(Field("at", Int64),), unit="s") is None


@pytest.mark.parametrize("text", ["at\n", "other\n1\n", "at\nno time\n", "at\n2026-03-01\n"])
def test_times_that_cannot_be_read_are_not_known(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")

    assert days_of(tmp_path, schema=(Field("at", Timestamp),)) is None
