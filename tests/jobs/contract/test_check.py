"""The check of a source's columns, without a session."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake

from featurestore.client.source_check.check import source_issues
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.references import complete
from featurestore.definitions.model.source import DeltaSource, FileSource
from featurestore.definitions.model.types import Field, Float64, Int64, String, Timestamp
from featurestore.definitions.model.view import FeatureView, SchemaContract
from featurestore.errors import SourceError
from featurestore.jobs.contract.changes import Column
from featurestore.jobs.contract.check import Accepted, check_schema, lacks_columns
from featurestore.jobs.contract.record import record_columns
from featurestore.jobs.materialize.job import RunResult
from featurestore.jobs.materialize.reconcile import outcome
from featurestore.jobs.materialize.start import materialize
from featurestore.store.commit import newest_batch
from featurestore.store.delta.log import record_notes
from featurestore.store.ledger.runs import Outcome
from tests.jobs.world import DERIVED, SPENDING, Store, stored_rows

COLUMNS = (Column("card_id", "String"), Column("at", "Timestamp"), Column("amount", "Float64"))
FIELDS = (Field("card_id", String), Field("at", Timestamp), Field("amount", Float64))


def built(shop: Store, contract: SchemaContract) -> FeatureView:
    """A view with a table, whose run has recorded the columns of its source."""
    view = replace(SPENDING, schema_contract=contract)
    shop.views = (view,)
    table = shop.build(view=view)
    shop.run(stored_rows("a"))
    record_columns(
        shop.layout, replace(view, schema_contract="freeze"), table, "r-t1-0", Accepted(COLUMNS)
    )
    return view


def alter(shop: Store, *drop: str, **add: pa.Array) -> None:
    """Replace the source's table by one with other columns."""
    uri = shop.folder / "payments"
    rows = pa.table(DeltaTable(uri).scan())
    rows = rows.drop(list(drop))
    for name, values in add.items():
        at = rows.schema.get_field_index(name)
        rows = rows.append_column(name, values) if at < 0 else rows.set_column(at, name, values)
    write_deltalake(uri, rows, mode="overwrite", schema_mode="overwrite")


def run(shop: Store, *, accept_schema: bool = False) -> RunResult:
    (result,) = materialize(shop.job, accept_schema=accept_schema)
    return result


def test_a_note_without_rows_repeats_no_count_of_the_batch(shop: Store) -> None:
    view = replace(SPENDING, schema_contract="freeze")
    table = shop.build(view=view)
    shop.run(stored_rows("a"))
    batch = newest_batch(shop.uri())
    assert batch is not None
    counted = replace(
        batch.notes,
        rows_quarantined=2,
        failures={"amount:ge": 2},
        repair=("2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00"),
        rows_copied=3,
        bad_rows_copied=1,
    )
    record_notes(shop.uri(), counted.to_json())

    record_columns(shop.layout, view, table, "next", Accepted(COLUMNS))

    noted = newest_batch(shop.uri())
    assert noted is not None
    assert (noted.notes.run_id, noted.notes.rows_quarantined) == ("next", 0)
    assert noted.notes.failures == {}
    assert outcome([noted]) == Outcome(
        version=noted.version, batches=1, source_offset=batch.notes.source_offset
    )


def test_a_note_without_rows_keeps_the_place_of_the_stream(shop: Store) -> None:
    built(shop, "freeze")
    batch = newest_batch(shop.uri())

    assert batch is not None
    assert (batch.version, batch.notes.batch_id, batch.notes.rows_out) == (1, 0, 0)
    assert batch.notes.source_offset is not None
    assert [tuple(each) for each in batch.notes.source_columns or ()] == [
        ("card_id", "String"),
        ("at", "Timestamp"),
        ("amount", "Float64"),
    ]
    assert DeltaTable(shop.uri()).to_pyarrow_table().num_rows == 1


@pytest.mark.parametrize("contract", ["ignore", "evolve", "freeze"])
def test_what_did_not_change_is_taken_without_a_note(
    shop: Store, contract: SchemaContract
) -> None:
    view = built(shop, contract)

    assert check_schema(shop.layout, view) == Accepted(COLUMNS, before=COLUMNS)
    assert run(shop).status == "nothing"


def test_a_contract_that_was_just_declared_needs_one_run(shop: Store) -> None:
    frozen = replace(SPENDING, schema_contract="freeze")
    table = shop.build()
    empty = lacks_columns(shop.layout, frozen, table)
    shop.run(stored_rows("a"))

    assert not empty
    assert lacks_columns(shop.layout, frozen, table)
    assert not lacks_columns(shop.layout, SPENDING, table)
    built(shop, "freeze")
    assert not lacks_columns(shop.layout, frozen, table)


def test_a_new_column_is_taken_noted_or_refused_by_the_contract(shop: Store) -> None:
    view = built(shop, "evolve")
    alter(shop, size=pa.array([1], pa.int64()))

    ignored = check_schema(shop.layout, replace(view, schema_contract="ignore"))
    taken = check_schema(shop.layout, view)
    frozen = replace(view, schema_contract="freeze")
    with pytest.raises(SourceError) as refused:
        check_schema(shop.layout, frozen)
    accepted = check_schema(shop.layout, frozen, accept=True)

    assert (ignored.note, ignored.columns) == ("", (*COLUMNS, Column("size", "Int64")))
    assert "added size (Int64)" in taken.note
    assert "+  size" in refused.value.found
    assert accepted.columns == taken.columns


def test_a_renamed_column_ends_the_run_before_a_session_starts(shop: Store) -> None:
    built(shop, "ignore")
    alter(shop, "amount", value=pa.array([1.0]))
    shop.views = (*shop.views, replace(DERIVED, source=shop.views[0]))

    results = {result.view: result for result in materialize(shop.job)}
    renamed, derived = results["spending"], results["copied"]

    assert (renamed.status, derived.status) == ("failed", "skipped")
    assert isinstance(renamed.error, SourceError)
    line = next(line for line in renamed.error.found.splitlines() if line.startswith("->"))
    assert line.split() == ["->", "amount", "Float64", "value"]


def test_accepting_does_not_take_a_column_that_the_view_lacks(shop: Store) -> None:
    built(shop, "freeze")
    alter(shop, "amount")

    result = run(shop, accept_schema=True)

    assert isinstance(result.error, SourceError)
    assert "featurestore apply" in result.error.fix


def test_a_type_that_holds_no_declared_value_is_refused(shop: Store) -> None:
    built(shop, "evolve")
    alter(shop, amount=pa.array(["much"]))

    result = run(shop)

    assert isinstance(result.error, SourceError)
    line = next(line for line in result.error.found.splitlines() if line.startswith("~"))
    assert line.split() == ["~", "amount", "Float64", "String"]


def test_a_type_whose_values_are_floats_is_taken(shop: Store) -> None:
    view = built(shop, "evolve")
    alter(shop, amount=pa.array([1], pa.int32()))

    assert "retyped amount (Float64 -> Int32)" in check_schema(shop.layout, view).note


def test_plan_and_validate_show_what_a_run_would_refuse(shop: Store) -> None:
    view = built(shop, "freeze")
    alter(shop, size=pa.array([1], pa.int64()))

    [issue] = source_issues(complete(Manifest.of([view])), shop.layout)

    assert issue.origin == view.origin
    assert "+  size" in issue.message


def test_a_derived_view_has_nothing_to_compare(shop: Store) -> None:
    assert check_schema(shop.layout, DERIVED) == Accepted()


def test_columns_of_another_source_are_not_compared(shop: Store) -> None:
    view = built(shop, "freeze")
    other = replace(view, source=DeltaSource("sales", path="sales", timestamp_field="at"))
    rows = pa.table({"at": pa.array([0], pa.timestamp("us", "UTC")), "card_id": ["a"]})
    write_deltalake(shop.folder / "sales", rows.append_column("amount", pa.array([1.0])))

    assert check_schema(shop.layout, other).changes == ()


def test_files_are_compared_one_after_the_other(shop: Store) -> None:
    view = file_view("parquet", "freeze")
    write_parquet(shop, "1", amount=[1.0])
    write_parquet(shop, "2", amount=[1.0], size=[1])

    with pytest.raises(SourceError) as refused:
        check_schema(shop.layout, view)

    assert "2.parquet" in refused.value.found
    assert "added size" in check_schema(shop.layout, view, accept=True).note


def test_a_frozen_view_refuses_another_order(shop: Store) -> None:
    write_parquet(shop, "1", amount=[1.0], size=[1])
    write_parquet(shop, "2", size=[1], amount=[2.0])

    with pytest.raises(SourceError) as refused:
        check_schema(shop.layout, file_view("parquet", "freeze"))

    lines = [line.split() for line in refused.value.found.splitlines() if line[0] == "~"]
    assert lines == [
        ["~", "amount", "Float64,", "column", "3", "Float64,", "column", "4"],
        ["~", "size", "Int64,", "column", "4", "Int64,", "column", "3"],
    ]


def test_an_optional_column_may_come_and_go(shop: Store) -> None:
    view = file_view("csv", "freeze")
    assert isinstance(view.source, FileSource)
    schema = (*FIELDS, Field("size", Int64))
    source = replace(view.source, schema=schema, optional_columns=("size",))
    write_text(shop, "1.csv", "card_id,at,size,amount\n")
    write_text(shop, "2.csv", "card_id,at,amount\n")
    write_text(shop, "3.csv", "card_id,at,size,amount\n")

    accepted = check_schema(shop.layout, replace(view, source=source))

    assert accepted.changes == ()
    assert [each.name for each in accepted.columns or ()] == ["card_id", "at", "size", "amount"]


def test_objects_may_lack_keys_that_others_have(shop: Store) -> None:
    view = file_view("json", "freeze")
    first = '{"card_id": "a", "at": "2026-01-01T00:00:00Z", "amount": 1, "size": 2}\n'
    write_text(shop, "1.json", first + '{"amount": null, "card_id": "b", "at": "x"}\n')
    write_text(shop, "2.json", first.replace("2}", "null}"))
    write_text(shop, "3.json", first.replace("size", "length"))

    with pytest.raises(SourceError) as refused:
        check_schema(shop.layout, view)

    assert "3.json" in refused.value.found
    assert "->" in refused.value.found


def test_a_header_of_another_file_is_left_to_the_run_which_says_more(shop: Store) -> None:
    write_text(shop, "1.csv", "card_id;at;amount\n")

    assert check_schema(shop.layout, file_view("csv", "ignore")) == Accepted()


def test_a_file_that_lacks_a_column_is_compared_with_the_declaration(shop: Store) -> None:
    write_text(shop, "1.csv", "card_id,at,amuont\n")

    with pytest.raises(SourceError) as refused:
        check_schema(shop.layout, file_view("csv", "ignore"))

    lines = refused.value.found.splitlines()
    assert "'amuont'" in lines[0]
    assert lines[1].split() == ["column", "declared", "now"]
    assert "optional_columns" in refused.value.fix


def file_view(kind: str, contract: SchemaContract) -> FeatureView:
    source = FileSource(
        "payments",
        path="payments",
        format=kind,  # type: ignore[arg-type]  # one of the formats
        timestamp_field="at",
        schema=() if kind == "parquet" else FIELDS,
    )
    return replace(SPENDING, source=source, schema_contract=contract)


def write_parquet(shop: Store, name: str, **columns: list[object]) -> None:
    at = pa.array([0], pa.timestamp("us", "UTC"))
    folder = shop.folder / "payments"
    folder.mkdir(exist_ok=True)
    pq.write_table(pa.table({"card_id": ["a"], "at": at, **columns}), folder / f"{name}.parquet")


def write_text(shop: Store, name: str, text: str) -> None:
    folder = shop.folder / "payments"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, "utf-8")


def test_a_column_without_values_in_one_file_is_no_change(shop: Store) -> None:
    write_parquet(shop, "1", amount=[1.0], size=[1])
    write_parquet(shop, "2", amount=[1.0], size=[None])
    write_parquet(shop, "3", amount=[1.0], size=[2])

    accepted = check_schema(shop.layout, file_view("parquet", "freeze"))

    assert (accepted.columns or ())[-1] == Column("size", "Int64")
    assert accepted.changes == ()


def test_texts_that_libraries_write_differently_are_one_type(shop: Store) -> None:
    write_parquet(shop, "1", amount=[1.0])
    at = pa.array([0], pa.timestamp("us", "UTC"))
    card = pa.array(["a"], pa.large_string())
    table = pa.table({"card_id": card, "at": at, "amount": [1.0]})
    pq.write_table(table, shop.folder / "payments" / "2.parquet")

    assert check_schema(shop.layout, file_view("parquet", "freeze")).changes == ()
