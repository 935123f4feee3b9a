"""A damaged row of the registry is an error that names its version, and whose way out works."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import given
from hypothesis import strategies as st

from featurestore.errors import TableError
from featurestore.query.compile import compile_query, compile_view
from featurestore.registry.codec import canonical_json, document_fingerprint, encode
from featurestore.registry.plan import plan
from featurestore.registry.registry import Registry
from featurestore.registry.version import RegistryVersion
from featurestore.store.layout import Layout
from tests.effort import examples
from tests.registry.manifests import SMALL

Row = dict[str, Any]
Document = dict[str, Any]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(str(tmp_path / "store" / "demo"))
    Registry(made, lambda: NOW).apply(plan(None, SMALL))
    return made


def damage(layout: Layout, change: Callable[[Row], Any]) -> None:
    """Rewrite the registry's only row."""
    rows = pa.table(DeltaTable(layout.registry()).scan().read_all())
    [row] = rows.to_pylist()
    change(row)
    changed = pa.Table.from_pylist([row], schema=rows.schema)
    write_deltalake(layout.registry(), changed, mode="overwrite")


def damage_document(layout: Layout, change: Callable[[Document], Any], *, signed: bool) -> None:
    """Change the row's definitions, and their fingerprint too if they are signed."""

    def rewrite(row: Row) -> None:
        document = json.loads(row["manifest"])
        change(document)
        row["manifest"] = json.dumps(document)
        if signed:
            row["digest"] = document_fingerprint(document)

    damage(layout, rewrite)


def first(document: Document, section: str) -> Document:
    definition: Document = document[section][0]
    return definition


DOCUMENTS: dict[str, Callable[[Document], Any]] = {
    "no kind": lambda d: first(d, "views").pop("kind"),
    "unknown kind": lambda d: first(d, "views").update(kind="os.system"),
    "kind is a number": lambda d: first(d, "views").update(kind=7),
    "kind of a part": lambda d: first(d, "views").update(kind="Array"),
    "no name": lambda d: first(d, "views").pop("name"),
    "name is a number": lambda d: first(d, "views").update(name=7),
    "unknown field": lambda d: first(d, "views").update(shell="rm"),
    "no source": lambda d: first(d, "views").pop("source"),
    "reference to nothing": lambda d: first(d, "views")["source"].update(name="other"),
    "reference without a name": lambda d: first(d, "views")["source"].pop("name"),
    "view of itself": lambda d: first(d, "views").update(
        source={"kind": "reference", "section": "views", "name": first(d, "views")["name"]}
    ),
    "schema is a text": lambda d: first(d, "views").update(schema="x"),
    "field is null": lambda d: first(d, "views").update(schema=[None]),
    "unknown type": lambda d: first(d, "views")["schema"][0].update(dtype={"kind": "Int128"}),
    "type is a text": lambda d: first(d, "views")["schema"][0].update(dtype="Int64"),
    "section is a text": lambda d: d.update(views="none"),
    "section of numbers": lambda d: d.update(views=[1, 2]),
    "no schema": lambda d: d.pop("schema"),
    "origin without a line": lambda d: first(d, "views").update(origin="defs.py"),
    "origin is null": lambda d: first(d, "views").update(origin=None),
    "aggregation of a column that is not there": lambda d: first(d, "views")["schema"].pop(0),
    "feature that is not there": lambda d: first(d, "services")["features"][1].update(
        features=["other"]
    ),
    "unknown function": lambda d: first(d, "views")["aggregations"][0].update(function="other"),
    "window that is no duration": lambda d: first(d, "views")["aggregations"][0].update(
        windows=["soon"]
    ),
    "ttl that is no duration": lambda d: d["views"][-1].update(ttl="soon"),
    "delay that is no duration": lambda d: d["views"][-1].update(available_delay="late"),
    "type is a number": lambda d: first(d, "entities")["join_keys"][0].update(dtype=1.5),
    "a view twice": lambda d: d["views"].append(d["views"][0]),
    "a definition less": lambda d: d["services"].pop(),
    "another value": lambda d: first(d, "views").update(ttl="100d"),
    "name is a path": lambda d: first(d, "entities").update(name="../card"),
    "deep": lambda d: first(d, "views").update(tags=json.loads("[" * 400 + "]" * 400)),
}


@pytest.mark.parametrize("change", DOCUMENTS.values(), ids=DOCUMENTS)
def test_changed_definitions_are_an_error_that_names_the_version(
    layout: Layout, change: Callable[[Document], Any]
) -> None:
    damage_document(layout, change, signed=False)
    version = Registry(layout, lambda: NOW).current("call")

    with pytest.raises(TableError) as caught:
        _ = version.manifest

    assert caught.value.call == "read version 1 of the applied definitions"
    assert "restore" in caught.value.fix


@pytest.mark.parametrize(
    "change",
    [change for name, change in DOCUMENTS.items() if name not in ("another value", "deep")],
    ids=[name for name in DOCUMENTS if name not in ("another value", "deep")],
)
def test_definitions_that_do_not_fit_are_an_error_even_with_their_fingerprint(
    layout: Layout, change: Callable[[Document], Any]
) -> None:
    damage_document(layout, change, signed=True)
    version = Registry(layout, lambda: NOW).current("call")

    try:
        manifest = version.manifest
    except TableError as error:
        assert "definitions" in error.call
    else:  # a valid document of other definitions
        assert plan(version, manifest).is_empty
        assert [compile_view(view) for view in manifest.views]
        for service in manifest.services:
            assert compile_query("call", service.references).outputs


ROWS: dict[str, Callable[[Row], Any]] = {
    "no JSON": lambda row: row.update(manifest='{"schema": "featurestore.mani'),
    "null": lambda row: row.update(manifest=None),
    "empty": lambda row: row.update(manifest=""),
    "a list": lambda row: row.update(manifest="[]"),
    "a number": lambda row: row.update(manifest="7"),
    "nested deeply": lambda row: row.update(manifest="[" * 100_000),
    "another fingerprint": lambda row: row.update(digest="0" * 16),
}


@pytest.mark.parametrize("change", ROWS.values(), ids=ROWS)
def test_a_row_whose_text_is_no_document_is_an_error_that_names_the_version(
    layout: Layout, change: Callable[[Row], Any]
) -> None:
    damage(layout, change)

    with pytest.raises(TableError) as caught:
        _ = Registry(layout, lambda: NOW).current("call").manifest

    assert caught.value.call == "read version 1 of the applied definitions"


@pytest.mark.parametrize("column", ["version", "applied_at", "applied_by", "digest"])
def test_a_row_without_a_value_is_an_error_that_names_the_column(
    layout: Layout, column: str
) -> None:
    damage(layout, lambda row: row.update({column: None}))

    with pytest.raises(TableError) as caught:
        Registry(layout, lambda: NOW).latest()

    assert column in caught.value.found


@pytest.mark.parametrize("changes", [None, "", "no JSON", "7"])
def test_damaged_lines_of_changes_stop_no_reader(layout: Layout, changes: str | None) -> None:
    damage(layout, lambda row: row.update(changes=changes))

    latest = Registry(layout, lambda: NOW).current("call")

    assert latest.manifest == SMALL
    assert latest.changes == ("its changes cannot be read: the row is damaged",)


def test_two_rows_of_one_version_are_an_error(layout: Layout) -> None:
    rows = pa.table(DeltaTable(layout.registry()).scan().read_all())
    write_deltalake(layout.registry(), rows, mode="append")

    with pytest.raises(TableError) as caught:
        Registry(layout, lambda: NOW).latest()

    assert caught.value.call == "read version 1 of the applied definitions"


def test_a_table_without_a_column_or_a_file_is_an_error(layout: Layout) -> None:
    table = DeltaTable(layout.registry())
    rows = pa.table(table.scan().read_all()).drop_columns(["digest"])
    write_deltalake(table, rows, mode="overwrite", schema_mode="overwrite")
    with pytest.raises(TableError) as no_column:
        Registry(layout, lambda: NOW).latest()
    for file in Path(layout.registry()).glob("*.parquet"):
        file.write_bytes(b"damaged")
    with pytest.raises(TableError) as no_file:
        Registry(layout, lambda: NOW).latest()

    assert no_column.value.call == f"read table {layout.registry()}"
    assert no_file.value.call == f"read table {layout.registry()}"


def test_the_way_out_of_the_message_works(layout: Layout) -> None:
    damage(layout, lambda row: row.update(manifest="{}"))
    registry = Registry(layout, lambda: NOW)
    with pytest.raises(TableError) as caught:
        _ = registry.current("call").manifest

    assert "DeltaTable(path).restore(version)" in caught.value.fix
    DeltaTable(layout.registry()).restore(0)

    assert registry.current("call").manifest == SMALL
    assert plan(registry.latest(), SMALL).is_empty


@given(st.data())
@examples(60)
def test_no_change_of_one_value_passes_unnoticed(data: st.DataObject) -> None:
    document = json.loads(canonical_json(encode(SMALL)))
    version = RegistryVersion(
        1,
        applied_at=NOW,
        applied_by="me",
        digest=document_fingerprint(document),
        changes=(),
        read=lambda: json.dumps(document),
    )
    holder, key = data.draw(st.sampled_from(list(places(document))))
    values = st.sampled_from([None, True, 0, -1, 1.5, "", "x", [], {}, [None], {"kind": "x"}])
    new = data.draw(values.filter(lambda value: value != holder[key]))
    if isinstance(key, str) and data.draw(st.booleans()):
        del holder[key]
    else:
        holder[key] = new

    with pytest.raises(TableError):
        _ = version.manifest


def places(value: Any) -> Any:
    """Yield each container in a document with each of its keys, but for origins."""
    keys = value.keys() if isinstance(value, dict) else range(len(value))
    for key in list(keys):
        if key == "origin":
            continue
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


def test_after_all_rows_are_gone_the_definitions_can_be_applied_again(layout: Layout) -> None:
    rows = pa.table(DeltaTable(layout.registry()).scan().read_all())
    write_deltalake(layout.registry(), rows.slice(0, 0), mode="overwrite")

    version = Registry(layout, lambda: NOW).apply(plan(None, SMALL))

    assert (version.version, version.manifest.views) == (1, SMALL.views)


def test_a_time_outside_of_the_calendar_is_an_error(layout: Layout) -> None:
    rows = pa.table(DeltaTable(layout.registry()).scan().read_all())
    field = rows.schema.field("applied_at")
    late = pa.array([2**61], pa.int64()).cast(field.type)
    rows = rows.set_column(rows.schema.get_field_index("applied_at"), field, late)
    write_deltalake(layout.registry(), rows, mode="overwrite")

    with pytest.raises(TableError):
        Registry(layout, lambda: NOW).latest()
