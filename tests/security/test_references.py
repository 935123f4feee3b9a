"""A changed registry cannot choose where the value of an environment variable is sent."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

import featurestore as fs
from featurestore import credentials
from featurestore.registry.codec import document_fingerprint
from featurestore.times import from_micros, to_micros
from tests.client.shop import write_view
from tests.jobs.world import NOON
from tests.tables import feature_table

CANARY = "CANARY-55c0-secret"
DECLARED = "${env:CANARY_FOLDER}/rows"
DEFINITIONS = f"""\
import featurestore as fs

thing = fs.Entity("thing", join_keys=(fs.Field("id", fs.Int64),))
plain = fs.DeltaSource("plain", path="data/plain", timestamp_field="ts")
referred = fs.DeltaSource("referred", path="{DECLARED}", timestamp_field="ts")
x = fs.Field("x", fs.Int64)
rows = fs.FeatureView("rows", entities=(thing,), source=referred, schema=(x,))
"""
ROW = pa.table({"id": [1], "ts": [from_micros(to_micros(NOON))], "x": [7]})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project with two sources, and a table that a changed reference leads to."""
    before = list(credentials._hidden)
    monkeypatch.setenv("CANARY_FOLDER", str(tmp_path / "data"))
    monkeypatch.setenv("CANARY_SECRET", str(tmp_path / CANARY))
    for source in ("data/plain", "data/rows", f"{CANARY}/sent"):
        write_deltalake(tmp_path / source, ROW)
    (tmp_path / "featurestore.toml").write_text('project = "p"\n')
    (tmp_path / "feature_defs").mkdir()
    (tmp_path / "feature_defs" / "d.py").write_text(DEFINITIONS)
    store = fs.FeatureStore(tmp_path)
    store.apply(store.plan())
    rows = feature_table({"id": [1]}, [to_micros(NOON)], {"x": [7]})
    write_view(store, "rows", rows, table_id="t")
    yield tmp_path
    credentials._hidden[:] = before


def change(folder: Path, before: str, after: str) -> None:
    """Write another address into the registry, with a fingerprint that fits."""
    registry = fs.FeatureStore(folder).layout.registry()
    table = pa.table(DeltaTable(registry).scan().read_all())
    [row] = table.to_pylist()
    document: Any = json.loads(row["manifest"].replace(json.dumps(before), json.dumps(after)))
    new = row | {"manifest": json.dumps(document), "digest": document_fingerprint(document)}
    rows = pa.Table.from_pylist([new], schema=table.schema)
    write_deltalake(registry, rows, mode="overwrite")


def test_a_declared_reference_is_resolved(folder: Path) -> None:
    store = fs.FeatureStore(folder)

    assert store.sql("SELECT x FROM referred").to_pydict() == {"x": [7]}
    assert "CANARY_FOLDER" not in "".join(each.found for each in store.doctor())


@pytest.mark.parametrize("before", ["data/plain", DECLARED])
def test_a_changed_address_with_a_reference_is_not_opened_by_sql(
    folder: Path, before: str
) -> None:
    change(folder, before, "${env:CANARY_SECRET}/sent")
    store = fs.FeatureStore(folder)
    name = {"data/plain": "plain", DECLARED: "referred"}[before]

    with pytest.raises(fs.SetupError) as caught:
        store.sql(f"SELECT * FROM {name}")

    assert "CANARY_SECRET" in caught.value.found
    assert CANARY not in str(caught.value)
    assert credentials.without_credentials(CANARY) == CANARY  # it was never resolved
    assert store.sql("SELECT x FROM rows").num_rows == 1


def test_the_address_of_another_declared_source_is_not_opened(folder: Path) -> None:
    change(folder, "data/plain", DECLARED)

    with pytest.raises(fs.SetupError):
        fs.FeatureStore(folder).sql("SELECT * FROM plain")


def test_a_changed_address_with_a_reference_is_not_opened_by_doctor(folder: Path) -> None:
    change(folder, DECLARED, "${env:CANARY_SECRET}/sent")

    [found] = (each for each in fs.FeatureStore(folder).doctor() if "CANARY_SECRET" in each.found)

    assert (found.code, found.table) == ("D100", "rows")
    assert CANARY not in f"{found}"


def test_without_definitions_no_reference_is_resolved(folder: Path) -> None:
    (folder / "feature_defs" / "d.py").unlink()
    store = fs.FeatureStore(folder)

    with pytest.raises(fs.SetupError):
        store.sql("SELECT * FROM referred")

    assert store.sql("SELECT x FROM plain").to_pydict() == {"x": [7]}


def test_a_listing_of_tables_leaves_it_out(folder: Path) -> None:
    change(folder, "data/plain", "${env:CANARY_SECRET}/sent")

    listed = fs.FeatureStore(folder).sql("SHOW TABLES").to_pydict()["name"]

    assert sorted(listed) == ["referred", "rows"]
