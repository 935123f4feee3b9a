"""Schema contracts end to end: a source's columns change between two runs of a view."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

from featurestore.definitions.model.source import DeltaSource, FileSource, StoredSource
from featurestore.definitions.model.types import Field, Float64, Int64, String, Timestamp
from featurestore.definitions.model.view import FeatureView, SchemaContract
from featurestore.errors import SourceError
from featurestore.jobs.materialize.job import RunResult
from featurestore.jobs.materialize.start import materialize
from featurestore.store.commit import newest_batch
from tests.jobs.world import CARD, World, moment_of

FIELDS = (
    Field("card_id", String),
    Field("at", Timestamp),
    Field("amount", Float64),
)
SOURCES: dict[str, StoredSource] = {
    "delta": DeltaSource("payments", path="payments", timestamp_field="at"),
    "parquet": FileSource("payments", path="payments", format="parquet", timestamp_field="at"),
    "csv": FileSource(
        "payments", path="payments", format="csv", timestamp_field="at", schema=FIELDS
    ),
    "json": FileSource(
        "payments", path="payments", format="json", timestamp_field="at", schema=FIELDS
    ),
}
VIEW = FeatureView(
    "spending",
    entities=(CARD,),
    source=SOURCES["delta"],
    schema=(Field("amount", Float64),),
    latest=False,
)


class Delivery:
    """Deliveries of rows to a source, each with its own columns."""

    def __init__(self, world: World, kind: str, contract: SchemaContract) -> None:
        self.world, self.kind, self.count = world, kind, 0
        self.folder = world.folder / "payments"
        self.folder.mkdir()
        world.views = [replace(VIEW, source=SOURCES[kind], schema_contract=contract)]
        if kind == "delta":
            self.folder.rmdir()

    def add(self, **columns: Sequence[object]) -> None:
        """Deliver one row for each hour, with these columns besides the card and the time."""
        self.count += 1
        at = [moment_of(self.count)]
        rows: dict[str, Sequence[object]] = {"card_id": ["a"], "at": at, **columns}
        path = self.folder / f"{self.count}.{self.kind}"
        WRITERS[self.kind](path, rows)

    def replace_table(self, **columns: Sequence[object]) -> None:
        """Give the Delta table other columns."""
        table = pa.table({"card_id": ["a"], "at": pa.array([moment_of(9)]), **columns})
        write_deltalake(self.folder, table, mode="overwrite", schema_mode="overwrite")

    def run(self, **options: object) -> RunResult:
        (result,) = materialize(self.world.job, **options)  # type: ignore[arg-type]  # passed on
        return result

    @property
    def recorded(self) -> list[str]:
        batch = newest_batch(self.world.table().table_uri)
        columns = None if batch is None else batch.notes.source_columns
        return [name for name, _ in columns or ()]


def _delta(path: Path, rows: Mapping[str, Sequence[object]]) -> None:
    table = pa.table({**rows, "at": pa.array(rows["at"], pa.timestamp("us", "UTC"))})
    write_deltalake(path.parent, table, mode="append", schema_mode="merge")


def _parquet(path: Path, rows: Mapping[str, Sequence[object]]) -> None:
    table = pa.table({**rows, "at": pa.array(rows["at"], pa.timestamp("us", "UTC"))})
    pq.write_table(table, path)


def _csv(path: Path, rows: Mapping[str, Sequence[object]]) -> None:
    lines = [rows.keys(), *zip(*rows.values(), strict=True)]
    path.write_text("\n".join(",".join(map(str, line)) for line in lines) + "\n", "utf-8")


def _json(path: Path, rows: Mapping[str, Sequence[object]]) -> None:
    objects = [dict(zip(rows, values, strict=True)) for values in zip(*rows.values(), strict=True)]
    path.write_text("\n".join(json.dumps(each, default=str) for each in objects), "utf-8")


WRITERS: dict[str, Callable[[Path, Mapping[str, Sequence[object]]], None]] = {
    "delta": _delta,
    "parquet": _parquet,
    "csv": _csv,
    "json": _json,
}


def refusal(result: RunResult) -> list[str]:
    """The changed lines of the table of a refused run."""
    assert isinstance(result.error, SourceError), result
    lines = result.error.found.splitlines()
    assert max(map(len, lines[1:])) <= 80
    return [" ".join(line.split()) for line in lines if line[:2].strip() in ("+", "-", "~", "->")]


@pytest.mark.parametrize("kind", SOURCES)
def test_a_frozen_view_takes_a_new_column_only_when_it_is_accepted(
    world: World, kind: str
) -> None:
    payments = Delivery(world, kind, "freeze")
    payments.add(amount=[1.0])
    built = payments.run()
    payments.add(amount=[2.0], shop=["x"])
    refused = payments.run()
    rows = world.rows("hour", "amount")
    accepted = payments.run(accept_schema=True)
    payments.add(amount=[3.0], shop=["y"])
    again = payments.run()

    assert (built.status, accepted.status, again.status) == ("done", "done", "done")
    text = "String" if kind in ("delta", "parquet") else "text"
    assert refusal(refused) == [f"+ shop {text}"]
    assert "--accept-schema" in refused.error.fix  # type: ignore[union-attr]  # see `refusal`
    assert rows == [(1.0, 1.0)]
    assert f"added shop ({text})" in accepted.message
    assert world.rows("hour", "amount") == [(1.0, 1.0), (2.0, 2.0), (3.0, 3.0)]
    assert sorted(payments.recorded) == ["amount", "at", "card_id", "shop"]


@pytest.mark.parametrize("kind", ["csv"])
def test_an_evolving_view_takes_new_columns_and_refuses_the_loss_of_one(
    world: World, kind: str
) -> None:
    payments = Delivery(world, kind, "evolve")
    payments.add(amount=[1.0])
    payments.run()
    payments.add(amount=[2.0], shop=["x"])
    took = payments.run()
    payments.add(amount=[3.0])
    refused = payments.run()

    assert "added shop" in took.message
    assert [line[:6] for line in refusal(refused)] == ["- shop"]
    assert world.rows("hour", "amount") == [(1.0, 1.0), (2.0, 2.0)]


@pytest.mark.parametrize("kind", ["json"])
def test_a_view_ignores_columns_that_it_does_not_use(world: World, kind: str) -> None:
    payments = Delivery(world, kind, "ignore")
    payments.add(amount=[1.0], shop=["x"])
    payments.run()
    payments.add(size=[7], amount=[2.0])
    taken = payments.run()
    payments.add(price=[3.0])
    refused = payments.run()

    assert taken.status == "done"
    assert "size" not in taken.message
    assert any(line.startswith(("- amount", "-> amount")) for line in refusal(refused))
    assert world.rows("hour", "amount") == [(1.0, 1.0), (2.0, 2.0)]


def test_columns_of_a_table_without_new_rows_are_accepted_once(world: World) -> None:
    payments = Delivery(world, "delta", "freeze")
    payments.add(amount=[1.0], size=[1])
    payments.run()
    write_deltalake(
        payments.folder,
        pa.table({"extra": pa.array([], pa.int64())}),
        mode="append",
        schema_mode="merge",
    )
    refused = payments.run()
    accepted = payments.run(accept_schema=True)
    again = payments.run()

    assert refusal(refused) == ["+ extra Int64"]
    assert (accepted.status, accepted.rows_out) == ("done", 0)
    assert again.status == "nothing"
    assert payments.recorded == ["card_id", "at", "amount", "size", "extra"]


def test_a_retyped_column_is_refused_before_a_session_starts(world: World) -> None:
    payments = Delivery(world, "parquet", "ignore")
    payments.add(amount=[1.0])
    payments.run()
    payments.add(amount=["much"])
    job = replace(world.job, spark=lambda: pytest.fail("a session was started"))

    (refused,) = materialize(job)

    assert refusal(refused) == ["~ amount Float64 String"]


def test_a_snapshot_view_compares_the_table_that_it_reads_again(world: World) -> None:
    payments = Delivery(world, "delta", "evolve")
    world.views = [
        replace(world.views[0], snapshot=True, source=DeltaSource("payments", path="payments"))
    ]
    payments.replace_table(amount=[1.0], size=pa.array([1], pa.int32()))
    payments.run()
    payments.replace_table(amount=[2.0], size=pa.array([1], pa.int64()))
    took = payments.run()
    payments.replace_table(amount=[3.0], weight=pa.array([1], pa.int64()))
    refused = payments.run()

    assert "retyped size (Int32 -> Int64)" in took.message
    assert refusal(refused) == ["-> size Int64 weight"]
    assert world.rows("amount") == [(1.0,), (2.0,)]


def test_a_transform_meets_the_contract_of_its_source(world: World) -> None:
    payments = Delivery(world, "delta", "evolve")
    world.views = [
        replace(
            world.views[0],
            transform="SELECT *, size + 0.5D AS amount FROM {source}",
            schema=(Field("amount", Float64), Field("size", Int64)),
        )
    ]
    payments.replace_table(size=[1])
    payments.run()
    payments.replace_table(total=[1])

    refused = payments.run()

    assert refusal(refused) == ["-> size Int64 total"]


def test_a_transform_that_used_a_lost_column_fails_with_the_columns_side_by_side(
    world: World,
) -> None:
    payments = Delivery(world, "parquet", "ignore")
    transform = "SELECT card_id, at, size + 0.5D AS amount FROM {source}"
    world.views = [replace(world.views[0], transform=transform)]
    payments.add(size=[1])
    payments.run()
    payments.add(total=[1])

    failed = payments.run()

    assert failed.error is not None
    assert "-> size" in failed.error.found
    assert world.rows("amount") == [(1.5,)]
