"""The example definitions load, are documented, and fit their sources."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.json as pa_json
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

import demo.ecommerce.data as ecommerce
import demo.fraud.data as fraud
import demo.healthcare.data as healthcare
from demo.fraud.simulator import Size, simulate
from featurestore.definitions.loading.loader import load
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.source import DeltaSource, FileSource

ROOT = Path(__file__).parents[2]
READERS = {"csv": pa_csv.read_csv, "json": pa_json.read_json, "parquet": pq.read_table}


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return load(ROOT / "feature_defs")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a small part of every source."""
    folder = tmp_path_factory.mktemp("project")
    cohort = healthcare.load_cohort()
    few = healthcare.Cohort(
        cohort.patients.head(50), cohort.labs.head(50), cohort.diagnoses.head(50)
    )
    healthcare.build_sources(folder, few)
    ecommerce.build_sources(folder, ecommerce.load_ratings().head(50))
    fraud.load_next(folder, simulate(Size(payments=500, cards=20, merchants=40, days=60)), 400)
    return folder


def test_the_definitions_load(manifest: Manifest) -> None:
    assert [service.name for service in manifest.services] == [
        "diabetes_early_v1",
        "fraud_v1",
        "movie_page_v1",
        "next_rating_v1",
        "user_segments_v1",
    ]
    assert len(manifest.views) == 12
    assert [view.name for view in manifest.on_demand_views] == ["card_travel", "payment_shape"]


def test_every_definition_has_a_description_an_owner_and_tags(manifest: Manifest) -> None:
    undocumented = [
        item.name
        for item in manifest.definitions
        if not (item.description and item.owner and item.tags)
    ]

    assert undocumented == []


def test_every_file_format_has_an_example(manifest: Manifest) -> None:
    formats = {source.format for source in manifest.sources if isinstance(source, FileSource)}

    assert formats == {"parquet", "csv", "json"}


def test_sources_have_the_columns_that_definitions_name(manifest: Manifest, project: Path) -> None:
    missing = [
        f"{view.name}: {name}"
        for view in manifest.views
        for name in named_columns(view)
        if name not in columns_of(project, view.source)
    ]

    assert missing == []


def named_columns(view) -> set[str]:
    """Return the source's columns that a view needs. A transform may compute other columns."""
    source = view.source
    times = {source.timestamp_field, source.available_timestamp_field} - {None}
    declared = {field.name for field in getattr(source, "schema", ())}
    if view.transform is not None:
        return times | declared
    return times | declared | {field.name for field in (*view.join_keys, *view.schema)}


def columns_of(project: Path, source: DeltaSource | FileSource) -> set[str]:
    folder = project / source.path
    if isinstance(source, DeltaSource):
        return {field.name for field in DeltaTable(str(folder)).schema().fields}
    file = next(path for path in sorted(folder.iterdir()) if not path.name.startswith("."))
    table: pa.Table = READERS[source.format](file)
    return set(table.column_names)


@pytest.mark.parametrize(
    ("service", "label"),
    [("diabetes_early_v1", "diagnosed"), ("fraud_v1", "is_fraud"), ("next_rating_v1", "rating")],
)
def test_no_label_is_a_feature(manifest: Manifest, service: str, label: str) -> None:
    definition = manifest.service(service)

    assert definition is not None
    names = {use.prefix + name for use in definition.references for name in use.feature_names}
    assert label not in names
    assert "pattern" not in names


def test_views_with_the_predicted_event_are_used_strictly_before_it(manifest: Manifest) -> None:
    service = manifest.service("fraud_v1")

    assert service is not None
    as_of = [use for use in service.stored_uses if not use.view.aggregations]
    assert [(use.view.name, use.strict) for use in as_of] == [("card_whereabouts", True)] * 2


def test_windows_exclude_events_at_the_moment(manifest: Manifest) -> None:
    closed = {aggregation.closed for view in manifest.views for aggregation in view.aggregations}

    assert closed == {"left"}


def test_late_rows_have_an_available_time_or_a_delay(manifest: Manifest) -> None:
    sources = {source.name: source for source in manifest.sources}

    assert sources["transactions"].available_timestamp_field == "ingested_at"
    assert sources["chargebacks"].available_timestamp_field == "reported_at"
    delays = {view.name: view.available_delay for view in manifest.views}
    assert (delays["lab_history"], delays["diagnosis_history"]) == ("1d", "7d")
