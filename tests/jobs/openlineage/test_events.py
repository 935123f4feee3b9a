"""The events of runs that are recorded by hand, as they are sent."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandera.polars as pandera
import pytest
from openlineage.client.serde import Serde

from featurestore.definitions.model.view import FeatureView
from featurestore.environment import resolve
from featurestore.jobs.openlineage.datasets import dataset_name
from featurestore.jobs.openlineage.events import run_event, run_uuid
from featurestore.store.layout import Layout
from featurestore.store.ledger.runs import Outcome, RunRecord
from tests.jobs.openlineage.published import facets, needs_spec, problems
from tests.jobs.world import DERIVED, NOON, SPENDING

CHECKED = replace(
    SPENDING,
    description="What a card pays.",
    owner="payments@example.com",
    transform="SELECT card_id, at, euros * 1.1 AS amount FROM {source} WHERE status = 'settled'",
    expectations=pandera.DataFrameSchema({"amount": pandera.Column(float, pandera.Check.ge(0))}),
)
DONE = Outcome(version=3, batches=1, rows_in=10, rows_out=8, rows_quarantined=2)
BEGUN = RunRecord(
    "0123abcd", view="spending", table_id="t1", kind="run", status="running", started_at=NOON
)


def ended(status: str, outcome: Outcome = DONE) -> RunRecord:
    return replace(BEGUN, status=status, outcome=outcome, ended_at=NOON.replace(hour=13))


@pytest.fixture
def sent(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    layout = Layout(f"{tmp_path}/lake", folder=tmp_path)

    def send(view: FeatureView, record: RunRecord, **options: Any) -> dict[str, Any]:
        event = run_event("demo", layout, view, record, **options)
        made: dict[str, Any] = json.loads(Serde.to_json(event))
        return made

    return send


Sent = Callable[..., dict[str, Any]]


def test_the_beginning_names_the_job_the_run_and_both_tables(sent: Sent, tmp_path: Path) -> None:
    event = sent(CHECKED, BEGUN)

    assert (event["eventType"], event["eventTime"]) == ("START", NOON.isoformat())
    assert event["run"] == {"runId": run_uuid("0123abcd"), "facets": {}}
    assert (event["job"]["namespace"], event["job"]["name"]) == ("demo", "spending")
    assert event["job"]["facets"]["documentation"]["description"] == "What a card pays."
    assert event["job"]["facets"]["ownership"]["owners"] == [{"name": "payments@example.com"}]
    assert event["job"]["facets"]["sql"]["query"] == CHECKED.transform
    [source], [table] = event["inputs"], event["outputs"]
    assert (source["namespace"], source["name"]) == ("file", f"{tmp_path}/payments")
    assert (table["namespace"], table["name"]) == ("file", f"{tmp_path}/lake/features/spending")
    stored = [(each["name"], each["type"]) for each in table["facets"]["schema"]["fields"]]
    assert stored == [
        ("card_id", "String"),
        ("amount", "Float64"),
        ("event_timestamp", "Timestamp"),
    ]


def test_the_end_has_counts_and_checks(sent: Sent) -> None:
    outcome = replace(DONE, failures={"amount:greater_than_or_equal_to": 2})

    event = sent(CHECKED, ended("done", outcome))

    assert (event["eventType"], event["eventTime"]) == ("COMPLETE", "2026-01-01T13:00:00+00:00")
    [source], [table] = event["inputs"], event["outputs"]
    assert source["inputFacets"]["inputStatistics"]["rowCount"] == 10
    assert table["outputFacets"]["outputStatistics"]["rowCount"] == 8
    assert table["facets"]["version"]["datasetVersion"] == "t1/3"
    checks = source["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert {each["name"]: (each["success"], each["column"]) for each in checks} == {
        "amount:not_null": (True, "amount"),
        "amount:greater_than_or_equal_to": (False, "amount"),
    }


def test_the_columns_of_a_query_are_followed_to_the_source(sent: Sent) -> None:
    [table] = sent(CHECKED, BEGUN)["outputs"]

    lineage = table["facets"]["columnLineage"]
    [field] = lineage["fields"]["amount"]["inputFields"]
    assert (field["field"], field["transformations"][0]["type"]) == ("euros", "DIRECT")
    rows = {each["field"]: each["transformations"][0]["type"] for each in lineage["dataset"]}
    # The column of an expectation decides rows, too.
    indirect = {"at", "card_id", "status", "euros"}
    assert rows == dict.fromkeys(indirect, "INDIRECT")
    keys = {
        name: lineage["fields"][name]["inputFields"] for name in ("card_id", "event_timestamp")
    }
    assert {name: [each["field"] for each in found] for name, found in keys.items()} == {
        "card_id": ["card_id"],
        "event_timestamp": ["at"],
    }


def test_a_derived_view_reads_the_table_of_its_upstream_view(sent: Sent, tmp_path: Path) -> None:
    event = sent(DERIVED, replace(BEGUN, view="copied"))

    [source], [table] = event["inputs"], event["outputs"]
    upstream = f"{tmp_path}/lake/features/spending"
    assert source["name"] == upstream
    [field] = table["facets"]["columnLineage"]["fields"]["amount"]["inputFields"]
    assert (field["name"], field["field"]) == (upstream, "amount")


def test_a_release_reads_the_quarantine(sent: Sent, tmp_path: Path) -> None:
    event = sent(CHECKED, replace(ended("done", replace(DONE, rows_in=2)), kind="release"))

    [source], [table] = event["inputs"], event["outputs"]
    assert source["name"] == f"{tmp_path}/lake/quarantine/spending/t1"
    assert source["inputFacets"]["inputStatistics"]["rowCount"] == 2
    assert source["facets"]["schema"] == table["facets"]["schema"]


@pytest.mark.parametrize(
    ("status", "was_killed", "state"),
    [
        ("nothing", False, "COMPLETE"),
        ("failed", False, "FAIL"),
        ("interrupted", False, "ABORT"),
        ("interrupted", True, "FAIL"),
        ("done", True, "COMPLETE"),
    ],
)
def test_each_end_has_its_state(sent: Sent, status: str, was_killed: bool, state: str) -> None:
    assert sent(SPENDING, ended(status), was_killed=was_killed)["eventType"] == state


def test_an_error_is_told_without_secrets(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUCKET", "very-secret-bucket")
    resolve("${env:BUCKET}")
    error = "cannot read s3://key:hunter2hunter2@very-secret-bucket/x?password=hunter2hunter2"

    event = sent(SPENDING, ended("failed", Outcome(error=error)))

    message = event["run"]["facets"]["errorMessage"]["message"]
    assert "cannot read" in message
    assert "hunter2" not in json.dumps(event)
    assert "very-secret-bucket" not in json.dumps(event)


def test_a_run_that_failed_early_says_nothing_about_checks(sent: Sent) -> None:
    event = sent(CHECKED, ended("failed", Outcome(error="the disk is full")))

    assert "dataQualityAssertions" not in event["inputs"][0]["inputFacets"]


def test_names_of_datasets_have_no_credentials() -> None:
    assert dataset_name("https://user:pw@lake.example.com/a/b") == (
        "https://lake.example.com",
        "a/b",
    )
    assert dataset_name("file:///data/x") == ("file", "/data/x")
    namespace, name = dataset_name("s3://key:hunter2@lake/a?sig=hunter2")
    assert (namespace, name) == ("s3://lake", "a")


def test_names_of_datasets_have_the_values_of_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEAGE_LAKE", "s3://company-lake/prod")
    monkeypatch.setenv("LINEAGE_BUCKET", "company-bucket")

    names = [
        dataset_name(resolve("${env:LINEAGE_LAKE}/paid")),
        dataset_name(resolve("s3://${env:LINEAGE_BUCKET}/paid")),
    ]

    assert names == [("s3://company-lake", "prod/paid"), ("s3://company-bucket", "paid")]


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("/data/a#b?c", ("file", "/data/a#b?c")),
        ("abfss://raw@a.dfs.core.windows.net/x", ("abfss://raw@a.dfs.core.windows.net", "x")),
        ("hdfs://user@host:8020/x", ("hdfs://host:8020", "x")),
    ],
)
def test_an_address_has_one_name(uri: str, name: tuple[str, str]) -> None:
    assert dataset_name(uri) == name


def test_each_facet_names_its_schema(sent: Sent) -> None:
    found = [*facets(sent(CHECKED, ended("done")))]

    assert len(found) >= 8
    assert all(each["_schemaURL"].startswith("https://openlineage.io/spec/") for each in found)


@needs_spec
@pytest.mark.parametrize("view", [SPENDING, CHECKED, DERIVED], ids=["plain", "checked", "derived"])
@pytest.mark.parametrize("status", ["running", "done", "nothing", "failed", "interrupted"])
def test_events_fit_the_published_schemas(sent: Sent, view: FeatureView, status: str) -> None:
    error = "it failed" if status in ("failed", "interrupted") else None
    record = BEGUN if status == "running" else ended(status, replace(DONE, error=error))

    assert problems(sent(view, record)) == []


@needs_spec
def test_the_schemas_find_what_is_wrong(sent: Sent) -> None:
    event = sent(CHECKED, ended("done"))
    event["eventType"] = "FINISH"
    event["outputs"][0]["facets"]["schema"]["fields"] = "none"

    assert len(problems(event)) >= 2
    assert datetime.fromisoformat(event["eventTime"]).tzinfo == UTC
