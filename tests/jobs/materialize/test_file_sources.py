"""Sources that are folders of files: new files bring new rows, and changed files are errors."""

import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from featurestore.definitions.model.source import FileFormat, FileSource
from featurestore.definitions.model.types import Field, Float64, String, Timestamp
from featurestore.errors import MaterializationError, SourceError
from featurestore.jobs.materialize.job import RunResult
from featurestore.store.ledger.files import Files
from tests.jobs.world import SPENDING, Payment, World, other, payments_table

COLUMNS = (Field("card_id", String), Field("at", Timestamp), Field("amount", Float64))
OLD = 1_600_000_000


def source_of(kind: FileFormat) -> FileSource:
    """A folder of payments in files of this format."""
    schema = () if kind == "parquet" else COLUMNS
    return FileSource("payments", path="files", format=kind, timestamp_field="at", schema=schema)


def put(world: World, name: str, *payments: Payment, modified_at: int = OLD) -> Path:
    """Write payments as a file; the suffix of its name is the format."""
    path = world.folder / "files" / name
    path.parent.mkdir(exist_ok=True)
    _WRITERS[path.suffix](payments_table(payments), path)
    os.utime(path, (modified_at, modified_at))
    return path


def _write_csv(table: pa.Table, path: Path) -> None:
    pc.write_csv(table, path)


def _write_json(table: pa.Table, path: Path) -> None:
    lines = (json.dumps(row | {"at": row["at"].isoformat()}) for row in table.to_pylist())
    path.write_text("\n".join(lines), encoding="utf-8")


_WRITERS = {".csv": _write_csv, ".json": _write_json, ".parquet": pq.write_table}


def materialized(world: World, source: FileSource) -> RunResult:
    """Materialize the payments of this source."""
    world.views = [other(SPENDING, source=source)]
    return world.materialize()


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_rows_of_new_files_are_stored_at_any_age_of_the_files(
    world: World, kind: FileFormat
) -> None:
    source = source_of(kind)
    put(world, f"b.{kind}", ("a", 0, 1.0), ("b", 1, 2.0))

    built = materialized(world, source)

    put(world, f"a.{kind}", ("a", -5, 3.0), modified_at=OLD - 90 * 86_400)
    ran = materialized(world, source)
    nothing = materialized(world, source)

    assert [built.kind, ran.kind] == ["build", "run"]
    assert (ran.rows_out, ran.version, nothing.status) == (1, 1, "nothing")
    assert world.rows() == [("a", -5, 3.0), ("a", 0, 1.0), ("b", 1, 2.0)]
    recorded = Files(world.layout).records(built.table_id)
    assert [Path(file.path).name for file in recorded] == [f"a.{kind}", f"b.{kind}"]


def test_a_changed_file_is_an_error_and_a_rebuild_reads_it(world: World) -> None:
    source = source_of("csv")
    put(world, "one.csv", ("a", 0, 1.0))
    path = put(world, "two.csv", ("b", 0, 1.0))
    materialized(world, source)
    (world.folder / "files" / "one.csv").unlink()
    put(world, "two.csv", ("b", 0, 1.0), ("b", 1, 1.0))
    put(world, "three.csv", ("c", 0, 1.0))

    refused = materialized(world, source)

    assert refused.status == "failed"
    assert isinstance(refused.error, SourceError)
    assert refused.error.found.endswith(f": {path}")
    assert "`featurestore materialize spending --full`" in refused.error.fix
    assert world.rows() == [("a", 0, 1.0), ("b", 0, 1.0)]
    assert world.materialize(full=True).status == "done"
    assert world.rows() == [("b", 0, 1.0), ("b", 1, 1.0), ("c", 0, 1.0)]


def test_a_lost_checkpoint_of_a_file_source_builds_anew(world: World) -> None:
    source = source_of("parquet")
    put(world, "a.parquet", ("a", 0, 1.0))
    first = materialized(world, source)
    checkpoint = world.folder / "store" / "checkpoints" / first.table_id
    checkpoint.rename(world.folder / "lost")

    result = materialized(world, source)

    assert (result.kind, result.table_id != first.table_id) == ("build", True)
    assert world.rows() == [("a", 0, 1.0)]


@pytest.mark.parametrize(
    ("name", "text", "part"),
    [
        ("a.csv", "card_id,at,amount\na,2026-01-01 12:00:00,1\n", "'2026-01-01 12:00:00'"),
        ("a.csv", "card_id,amount,at\na,1,2026-01-01 12:00:00Z\n", "CSV header"),
        ("a.csv", "card_id,at,amount\na,2026-01-01 12:00:00Z,much\n", "much"),
        ("a.json", '{"card_id": "a", "at": "soon", "amount": 1}', "'soon'"),
    ],
    ids=["time without offset", "header in another order", "no number", "no time"],
)
def test_a_value_that_does_not_fit_stops_the_run(
    world: World, name: str, text: str, part: str
) -> None:
    path = world.folder / "files" / name
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")

    result = materialized(world, source_of("csv" if path.suffix == ".csv" else "json"))

    assert result.status == "failed"
    assert isinstance(result.error, SourceError | MaterializationError)
    assert part in result.error.found


def test_a_parquet_file_that_lacks_a_declared_column_is_refused(world: World) -> None:
    put(world, "a.parquet", ("a", 0, 1.0))
    declared = (*COLUMNS[:2], Field("amuont", Float64))

    result = materialized(world, other_schema(source_of("parquet"), declared))

    assert result.status == "failed"
    assert isinstance(result.error, SourceError)
    assert "'payments'" in result.error.call
    assert "'amuont'" in result.error.found
    assert "'amount'?" in result.error.found


def test_a_damaged_file_is_named_and_a_correct_one_under_another_name_is_read(
    world: World,
) -> None:
    put(world, "a.parquet", ("a", 0, 1.0))
    source = source_of("parquet")
    materialized(world, source)
    path = put(world, "b.parquet", *[("b", hour, 1.0) for hour in range(50)])
    path.write_bytes(path.read_bytes()[:-40])

    result = materialized(world, source)

    assert result.status == "failed"
    assert isinstance(result.error, SourceError)
    assert str(path) in result.error.found
    assert "`featurestore materialize spending --full`" in result.error.fix
    assert world.rows() == [("a", 0, 1.0)]
    path.unlink()
    put(world, "c.parquet", ("b", 1, 2.0))
    assert (world.materialize().status, world.rows()[1:]) == ("done", [("b", 1, 2.0)])


def other_schema(source: FileSource, schema: tuple[Field, ...]) -> FileSource:
    """The source with other declared columns."""
    return FileSource(
        source.name, path=source.path, format="parquet", timestamp_field="at", schema=schema
    )
