"""Sources that are folders of files: new files bring new rows, and changed files are errors."""

import json
import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.linalg import Vectors
from pyspark.sql import SparkSession

from featurestore.definitions.model.source import FileFormat, FileSource
from featurestore.definitions.model.types import Date, Field, Float64, Int64, String, Timestamp
from featurestore.errors import MaterializationError, SourceError
from featurestore.jobs.materialize.job import RunResult
from featurestore.jobs.materialize.start import materialize
from featurestore.store.ledger.files import Files
from featurestore.store.ledger.tables import Tables
from tests.jobs.materialize.test_recovery import interrupting
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
    path.parent.mkdir(exist_ok=True, parents=True)
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


def test_the_rows_of_files_are_counted_before_a_transform(world: World) -> None:
    put(world, "a.csv", ("a", 0, 1.0), ("b", 1, 2.0), ("b", 2, 3.0))
    source = source_of("csv")
    world.views = [
        other(SPENDING, source=source, transform="SELECT * FROM {source} WHERE amount > 1"),
        other(
            SPENDING, source=source, name="none", transform="SELECT * FROM {source} WHERE 1 > 2"
        ),
    ]

    results = {each.view: (each.rows_in, each.rows_out) for each in materialize(world.job)}

    assert results == {"spending": (3, 2), "none": (3, 0)}


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
    assert "materialize spending --start 2026-01-01 --end 2026-01-02`" in refused.error.fix
    assert world.rows() == [("a", 0, 1.0), ("b", 0, 1.0)]
    assert world.materialize(full=True).status == "done"
    assert world.rows() == [("b", 0, 1.0), ("b", 1, 1.0), ("c", 0, 1.0)]


def test_a_file_that_is_changed_after_it_was_renamed_is_an_error(world: World) -> None:
    source = source_of("csv")
    path = put(world, "one.csv", ("a", 0, 1.0))
    materialized(world, source)
    path.rename(path.with_name("two.csv"))
    renamed = materialized(world, source)
    put(world, "two.csv", ("a", 0, 1.0), ("a", 1, 2.0))

    refused = materialized(world, source)

    assert (renamed.status, refused.status) == ("nothing", "failed")
    assert isinstance(refused.error, SourceError)
    assert refused.error.found.endswith(": " + str(path.with_name("two.csv")))
    assert world.rows() == [("a", 0, 1.0)]


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
        ("a.csv", "card_id,at\na,2026-01-01 12:00:00Z\n", "'amount'"),
        ("a.csv", "card_id,at,amount\na,2026-01-01 12:00:00Z,much\n", "much"),
        ("a.json", '{"card_id": "a", "at": "soon", "amount": 1}', "'soon'"),
    ],
    ids=["time without offset", "no column", "no number", "no time"],
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
    assert name in result.error.found


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
    assert world.rows() == [("a", 0, 1.0)]
    path.unlink()
    put(world, "c.parquet", ("b", 1, 2.0))
    assert (world.materialize().status, world.rows()[1:]) == ("done", [("b", 1, 2.0)])


def test_a_file_that_was_refused_may_be_corrected_in_its_place(world: World) -> None:
    source = source_of("csv")
    put(world, "a.csv", ("a", 0, 1.0))
    materialized(world, source)
    path = put(world, "b.csv", ("b", 0, 1.0))
    path.write_text("card_id,at,amount\nb,2026-01-01T12:00:00Z,1x\n", encoding="utf-8")
    refused = materialized(world, source)
    put(world, "b.csv", ("b", 0, 2.0), modified_at=OLD + 9)

    result = materialized(world, source)

    assert (refused.status, result.status) == ("failed", "done")
    assert world.rows() == [("a", 0, 1.0), ("b", 0, 2.0)]


@pytest.mark.parametrize("keeps_times", [True, False], ids=["moved", "copied"])
def test_a_project_in_another_folder_goes_on(
    world: World, tmp_path: Path, keeps_times: bool
) -> None:
    source = source_of("csv")
    put(world, "a.csv", ("a", 0, 1.0))
    first = materialized(world, source)
    elsewhere = tmp_path.with_name(f"{tmp_path.name}-copy")
    shutil.copytree(tmp_path, elsewhere)
    if not keeps_times:
        os.utime(elsewhere / "files" / "a.csv", (OLD + 9, OLD + 9))
    moved = World(elsewhere, world.spark)
    put(moved, "b.csv", ("b", 0, 2.0))

    result = materialized(moved, source)

    assert (result.kind, result.status, result.table_id) == ("run", "done", first.table_id)
    assert moved.rows() == [("a", 0, 1.0), ("b", 0, 2.0)]


def test_files_of_any_name_at_any_depth_are_read(world: World) -> None:
    (world.folder / "files").mkdir()
    names = ["a b.csv", "[x]*?.csv", "c%20d^|{}.csv", "gr\u00f6\u00dfe.csv", "2026/01/e.csv"]
    for hour, name in enumerate([*names, "_f.csv", ".g.csv", "_h/i.csv"]):
        put(world, name, ("a", hour, 1.0))

    result = materialized(world, source_of("csv"))

    assert (result.status, result.rows_out) == ("done", len(names))


@pytest.mark.parametrize(
    ("path", "hours"),
    [("files", [0, 1, 2]), ("files/a.csv", [0]), ("files/2026-*/*.csv", [1, 2])],
)
def test_a_path_is_a_folder_a_file_or_a_pattern_and_its_suffix_the_format(
    world: World, path: str, hours: list[int]
) -> None:
    for hour, name in enumerate(["a.csv", "2026-01/b.csv", "2026-02/c.csv"]):
        put(world, name, ("a", hour, 1.0))

    materialized(world, replace(source_of("csv"), path=path, format=None))

    assert [hour for _, hour, _ in world.rows()] == hours


def test_values_in_the_names_of_folders_keep_their_text(world: World) -> None:
    path = put(world, "card_id=007/shop=a%20b/a.csv", ("x", 0, 1.0))
    path.write_text("at,amount\n2026-01-01T12:00:00Z,1\n", encoding="utf-8")
    view = other(SPENDING, schema=(Field("amount", Float64), Field("shop", String)))
    columns = (*COLUMNS, Field("shop", String))
    world.views = [other(view, source=replace(source_of("csv"), schema=columns))]

    world.materialize()

    assert world.rows("card_id", "shop") == [("007", "a b")]


def test_the_folder_of_a_delta_table_is_refused(world: World) -> None:
    world.pay(("a", 0, 1.0))
    source = replace(source_of("parquet"), path="payments")

    result = materialized(world, source)

    assert isinstance(result.error, SourceError)
    assert "DeltaSource" in result.error.fix


def test_columns_that_files_lack_are_null_only_if_they_are_optional(world: World) -> None:
    put(world, "a.parquet", ("a", 0, 1.0))
    table = payments_table([("b", 0, 2.0)]).append_column("w", pa.array([7], pa.int64()))
    pq.write_table(table, world.folder / "files" / "b.parquet")
    view = other(SPENDING, schema=(Field("amount", Float64), Field("w", Int64)))

    world.views = [other(view, source=source_of("parquet"))]
    refused = world.materialize()
    world.views = [other(view, source=replace(source_of("parquet"), optional_columns=("w",)))]
    result = world.materialize()

    assert isinstance(refused.error, SourceError)
    assert "'w'" in refused.error.found
    assert "a.parquet" in refused.error.found
    assert "optional_columns=('w',)" in refused.error.fix
    assert result.status == "done"
    assert world.rows("card_id", "w") == [("a", None), ("b", 7)]


def test_an_undeclared_column_that_a_file_lacks_stops_only_transforms_that_use_it(
    world: World,
) -> None:
    put(world, "a.parquet", ("a", 0, 1.0))
    table = payments_table([("b", 0, 2.0)]).append_column("w", pa.array([7.0]))
    odd = table.append_column("odd", pa.array([1], pa.time64("ns")))
    pq.write_table(odd, world.folder / "files" / "b.parquet")
    plain = other(SPENDING, source=source_of("parquet"))

    world.views = [other(plain, transform="SELECT * FROM {source}")]
    unused = world.materialize()
    world.views = [
        other(plain, transform="SELECT card_id, at, amount + w AS amount FROM {source}")
    ]
    used = world.materialize()

    assert (unused.status, used.status) == ("done", "failed")
    assert isinstance(used.error, SourceError)
    assert "'w'" in used.error.found
    assert "a.parquet" in used.error.found


def test_parquet_types_that_hold_the_same_values_are_read(world: World) -> None:
    put(world, "a.parquet", ("a", 0, 1.0))
    rows = payments_table([("b", 1, 2.0)])
    at = rows["at"].cast(pa.timestamp("ns", "UTC"))
    rows = rows.set_column(1, "at", at).set_column(2, "amount", pa.array([2], pa.int16()))
    pq.write_table(rows, world.folder / "files" / "b.parquet")
    pq.write_table(
        payments_table([("c", 2, None)]).set_column(2, "amount", pa.nulls(1)),
        world.folder / "files" / "c.parquet",
    )

    materialized(world, source_of("parquet"))

    assert world.rows() == [("a", 0, 1.0), ("b", 1, 2.0), ("c", 2, None)]


def test_a_view_of_an_empty_folder_has_an_empty_table_and_goes_on(world: World) -> None:
    (world.folder / "files").mkdir()
    empty = materialized(world, source_of("csv"))
    nothing = world.rows()
    put(world, "a.csv", ("a", 0, 1.0))

    result = world.materialize()

    assert (empty.kind, empty.status, empty.rows_out, nothing) == ("build", "done", 0, [])
    assert "no row" in empty.message
    assert (result.kind, result.status, world.rows()) == ("run", "done", [("a", 0, 1.0)])


def test_a_table_without_a_time_gets_one_in_a_transform(world: World) -> None:
    path = put(world, "cards.csv", ("a", 0, 1.0))
    path.write_text("card_id,amount\na,1.5\n", encoding="utf-8")
    source = replace(source_of("csv"), schema=(COLUMNS[0], COLUMNS[2]), timestamp_field="since")
    since = "SELECT *, TIMESTAMP '1970-01-01 00:00:00' AS since FROM {source}"
    world.views = [other(SPENDING, source=source, transform=since)]

    world.materialize()

    assert world.rows("card_id", "event_timestamp", "amount") == [
        ("a", datetime(1970, 1, 1, tzinfo=UTC), 1.5)
    ]


def test_the_day_of_a_folder_can_be_the_time(world: World) -> None:
    for day in ("01", "02"):
        path = put(world, f"day=2026-01-{day}/cards.csv", ("a", 0, 1.0))
        path.write_text(f"card_id,amount\na,{day}\n", encoding="utf-8")
    columns = (COLUMNS[0], COLUMNS[2], Field("day", Date))
    source = replace(source_of("csv"), schema=columns, timestamp_field="day", timezone="UTC")

    materialized(world, source)

    assert world.rows() == [("a", -12, 1.0), ("a", 12, 2.0)]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_an_event_after_year_9999_is_left_out_and_a_value_refused(
    world: World, kind: FileFormat
) -> None:
    (world.folder / "files").mkdir()
    far = pa.array([0, 9 * 10**15], pa.timestamp("ms", "UTC"))
    near = pa.array([0, 0], pa.timestamp("ms", "UTC"))
    columns = {"card_id": pa.array(["a", "b"]), "at": far, "amount": [1.0, 2.0], "paid": near}
    schema = (*COLUMNS, Field("paid", Timestamp))
    if kind == "csv":
        text = "card_id,at,amount,paid\na,1970-01-01T00:00:00Z,1,1970-01-01T00:00:00Z\n"
        late = "b,+20000-01-01T00:00:00Z,2,1970-01-01T00:00:00Z\n"
        (world.folder / "files" / "a.csv").write_text(text + late, encoding="utf-8")
    else:
        pq.write_table(pa.table(columns), world.folder / "files" / "a.parquet")
    source = replace(source_of(kind), schema=schema)
    paid_at = other(SPENDING, schema=(Field("amount", Float64), Field("paid", Timestamp)))
    world.views = [other(paid_at, source=source)]

    left_out = world.materialize()
    swapped = replace(source, timestamp_field="paid")
    world.views = [
        other(paid_at, schema=(Field("at", Timestamp),), source=swapped, aggregations=())
    ]
    refused = world.materialize()

    assert (left_out.status, left_out.rows_out, left_out.null_rows) == ("done", 1, 1)
    assert isinstance(refused.error, SourceError)
    assert "'at'" in refused.error.found
    assert f"a.{kind}" in refused.error.found


def test_an_interrupted_build_from_files_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.jobs.materialize.test_recovery.REFUSAL", world.folder / "refusal")
    (world.folder / "refusal").touch()
    world.files_per_batch = 1
    for hour in range(4):
        put(world, f"{hour}.csv", ("a", hour, 1.0))
    world.views = [other(SPENDING, source=source_of("csv"), transform=interrupting)]

    with pytest.raises(KeyboardInterrupt):
        world.materialize()
    (world.folder / "refusal").unlink()
    (building,) = Tables(world.layout).records()
    result = world.materialize()

    assert (building.state, result.status, result.table_id) == (
        "building",
        "done",
        building.table_id,
    )
    assert [hour for _, hour, _ in world.rows()] == [0, 1, 2, 3]


@pytest.mark.parametrize("files_per_batch", [1, 2])
def test_a_build_reads_each_file_once_in_batches(world: World, files_per_batch: int) -> None:
    world.files_per_batch = files_per_batch
    for hour in range(3):
        put(world, f"{hour}.csv", ("a", hour, 1.0))

    materialized(world, source_of("csv"))
    again = world.materialize()

    assert [hour for _, hour, _ in world.rows()] == [0, 1, 2]
    assert again.status == "nothing"


def other_schema(source: FileSource, schema: tuple[Field, ...]) -> FileSource:
    """The source with other declared columns."""
    return FileSource(
        source.name, path=source.path, format="parquet", timestamp_field="at", schema=schema
    )


def test_a_model_of_mllib_can_be_applied_after_a_run(world: World) -> None:
    put(world, "0.csv", ("a", 0, 1.0))
    materialized(world, source_of("csv"))
    session = SparkSession.active()  # of `to_spark()`
    rows = [(Vectors.dense([float(each)]), float(each % 2)) for each in range(8)]
    data = session.createDataFrame(rows, ["features", "label"])

    model = LogisticRegression(maxIter=1).fit(data)

    assert model.transform(data).select("probability").count() == 8
    assert len(model.transform(data).select("probability").collect()) == 8
