"""A secret that comes by any way is in nothing that is printed, stored or shown."""

import json
import logging
import pickle
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

import featurestore as fs
from featurestore import credentials
from featurestore.cli import main
from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.store.ledger.runs import Outcome, RunRecord, Runs
from featurestore.times import to_micros
from tests.client.shop import write_view
from tests.tables import feature_table

CANARY = "CANARY-7f3a'secret"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SETTINGS = """\
project = "p"
root = "${env:CANARY_ROOT}"
definitions = "${env:CANARY_DEFINITIONS}"
spark_conf = "${env:CANARY_CONF}"
"""
DEFINITIONS = """\
import featurestore as fs

thing = fs.Entity("thing", join_keys=(fs.Field("id", fs.Int64),))
source = fs.DeltaSource("source", path="${env:CANARY_SOURCE}/rows", timestamp_field="ts")
rows = fs.FeatureView("rows", entities=(thing,), source=source, schema=(fs.Field("x", fs.Int64),))
remote = fs.DeltaSource(
    "remote", path="s3://${env:CANARY_KEY}:${env:CANARY_SECRET}@b/x", timestamp_field="ts"
)
far = fs.FeatureView("far", entities=(thing,), source=remote, schema=(fs.Field("y", fs.Int64),))
files = fs.FileSource(
    "files", path="${env:CANARY_SOURCE}/*.csv", timestamp_field="ts", format="csv",
    schema=(fs.Field("id", fs.Int64), fs.Field("ts", fs.Timestamp), fs.Field("z", fs.Int64)),
)
filed = fs.FeatureView("filed", entities=(thing,), source=files, schema=(fs.Field("z", fs.Int64),))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project whose addresses all come from the environment, with one table that is filled."""
    before = list(credentials._hidden)
    values = {
        "ROOT": str(tmp_path / f"store {CANARY}"),
        "DEFINITIONS": f"defs_{CANARY.partition('-')[0]}",
        "CONF": f"{CANARY}.conf",
        "SOURCE": str(tmp_path / f"source {CANARY}"),
        "KEY": f"{CANARY}/k+",
        "SECRET": f"{CANARY}/s%20",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"CANARY_{name}", value)
    (tmp_path / "featurestore.toml").write_text(SETTINGS)
    (tmp_path / values["DEFINITIONS"]).mkdir()
    (tmp_path / values["DEFINITIONS"] / "d.py").write_text(DEFINITIONS)
    _fill(fs.FeatureStore(tmp_path))
    yield tmp_path
    credentials._hidden[:] = before


def _fill(store: fs.FeatureStore) -> None:
    store.apply(store.plan())
    rows = feature_table({"id": [1]}, [to_micros(NOON)], {"x": [7]})
    write_view(store, "rows", rows, table_id="t")


def run(capfd: pytest.CaptureFixture[str], *args: str) -> str:
    """Return what the program prints, to stdout and stderr."""
    with pytest.raises(SystemExit):
        main(args)
    out, err = capfd.readouterr()
    return out + err


COMMANDS = [
    ["validate"], ["validate", "--json"], ["plan"], ["plan", "--json"], ["apply", "--yes"],
    ["status"], ["status", "--json"], ["history"], ["history", "1"], ["history", "--json"],
    ["doctor"], ["doctor", "--json"], ["maintain", "--dry-run"], ["views"], ["views", "rows"],
    ["sql", "SELECT * FROM source"], ["sql", "SELECT * FROM remote"],
    ["sql", "SELECT * FROM read_text('{source}')"], ["verify", "rows"],
    ["explain", "rows", "id=1"],
    ["materialize", "--due", "--dry-run", "--json"], ["latest", "rows", "id=1", "--json"],
    ["get", "rows", "--spine", "{source}/none.csv", "--out", "{source}/x/out.csv"],
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_prints_a_value_of_the_environment(
    folder: Path, capfd: pytest.CaptureFixture[str], command: list[str]
) -> None:
    source = str(folder / f"source {CANARY}")

    printed = run(capfd, *(arg.replace("{source}", source) for arg in command), *_project(folder))

    assert printed
    assert "CANARY-" not in printed


URL = "s3://AKIA:CANARY-x@bucket/x.csv?sig=CANARY-y"
WRONG = [
    ["plan", "--project", URL], ["get", "rows", "--spine", URL], ["latest", "rows", f"id={URL}"],
    ["latest", "rows", "--json", URL], ["latest", URL], ["status", URL], ["materialize", URL],
    ["explain", "rows", f"id={URL}"], ["history", URL], ["sql", URL], [f"--{URL}"], [URL],
    ["get", "rows", "--format", URL], ["materialize", f"--{URL}"], ["init", URL],
    ["schedule", "export", URL], ["maintain", URL], ["doctor", URL], ["verify", URL],
]  # fmt: skip


@pytest.mark.parametrize("command", WRONG, ids=" ".join)
def test_no_message_repeats_a_credential_of_an_argument(
    folder: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
) -> None:
    monkeypatch.chdir(folder)

    printed = run(capfd, *command)

    assert printed
    assert "CANARY-" not in printed


def _project(folder: Path) -> tuple[str, str]:
    return "--project", str(folder)


def test_no_object_shows_it(folder: Path) -> None:
    store = fs.FeatureStore(folder)
    manifest = store.load()
    frame = store.get_latest_features(["rows:x"], [{"id": 1}])
    objects = [
        store, store.settings, store.layout, store.plan(), store.status(), store.history(),
        manifest, manifest.view("rows"), frame, *store.doctor(), store.views(), store.features(),
        store.sources(), store.services(), store.describe("rows"), store.describe("rows:x"),
        store.search("rows"), store.health(),
    ]  # fmt: skip

    shown = [repr(each) for each in objects]
    shown += [str(each.to_dicts()) for each in objects if hasattr(each, "to_dicts")]
    shown += [each._repr_html_() for each in objects if hasattr(each, "_repr_html_")]

    assert frame.to_arrow()["x"].to_pylist() == [7]
    assert [text for text in shown if "CANARY-" in text] == []


def test_no_error_shows_it(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = fs.FeatureStore(folder)
    caplog.set_level(logging.DEBUG)
    calls = [
        lambda: store.get_historical_features(["far:y"], [{"id": 1}]),
        lambda: store.write_source("source", [{"wrong": 1}]),
        lambda: store.write_source("files", [{"wrong": 1}]),
        lambda: store.sql("SELECT * FROM source"),
        lambda: store.layout.features("../x", "t"),
        lambda: store.get_historical_features(["rows:x"], f"{folder}/source {CANARY}/s.csv"),
    ]  # fmt: skip

    errors: list[fs.FeatureStoreError] = []
    for call in calls:
        with suppress(OSError):
            with pytest.raises(fs.FeatureStoreError) as caught:
                call()
            errors.append(caught.value)

    texts = [f"{e}{e.args}{e!r}{pickle.loads(pickle.dumps(e))}" for e in errors]
    assert len(errors) == len(calls)
    assert [text for text in [*texts, caplog.text] if "CANARY-" in text] == []


def test_no_table_of_the_store_has_it(folder: Path) -> None:
    store = fs.FeatureStore(folder)
    with pytest.raises(fs.FeatureStoreError) as caught:
        store.write_source("source", [{"wrong": 1}])
    run_record = RunRecord(
        "r", view="rows", table_id="t", kind="run", status="failed", started_at=NOON,
        outcome=Outcome(error=str(caught.value)),
    )  # fmt: skip
    Runs(store.layout).record(run_record)

    stored = [
        json.dumps(pa.table(DeltaTable(uri).scan().read_all()).to_pylist(), default=str)
        for uri in (store.layout.registry(), store.layout.tables(), store.layout.runs())
    ]
    written = [path for path in folder.rglob("*") if path.is_file()]
    raw = [path.read_bytes() for path in written]

    assert len(written) > 5
    assert [text for text in stored if "CANARY-" in text] == []
    assert [text for text in raw if b"CANARY-" in text] == []


def test_the_fingerprint_is_that_of_the_reference(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [table_fingerprint(view) for view in fs.FeatureStore(folder).load().views]

    monkeypatch.setenv("CANARY_SOURCE", "/elsewhere")
    store = fs.FeatureStore(folder)

    assert [table_fingerprint(view) for view in store.load().views] == before
    assert store.plan().is_empty
    assert store.layout.source("${env:CANARY_SOURCE}/rows") == "/elsewhere/rows"


def test_a_missing_variable_is_named_and_stops_only_what_needs_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CANARY_SOURCE")
    store = fs.FeatureStore(folder)

    with pytest.raises(fs.SetupError) as caught:
        store.write_source("source", [{"id": 1}])
    answers: Any = store.get_latest_features(["rows:x"], [{"id": 1}]).to_arrow()

    assert "CANARY_SOURCE" in caught.value.found
    assert caught.value.exit_code == 2
    assert answers["x"].to_pylist() == [7]
    assert store.sql("SELECT x FROM rows")["x"].to_pylist() == [7]
    assert {each.view for each in store.status()} == {"rows", "far", "filed"}
    assert any("CANARY_SOURCE" in each.message for each in store.source_issues())
