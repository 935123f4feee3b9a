"""A store with every kind of definition, and its site as texts by path."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

import featurestore as fs
from featurestore.site.build import site_files
from featurestore.site.catalog import read_catalog
from featurestore.store.ledger.runs import Outcome, RunRecord, Runs
from tests.client.shop import HOUR, write_view
from tests.site.profiles import put_profiles
from tests.tables import feature_table

NOW = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
DEFINITIONS = """
import featurestore as fs

card = fs.Entity("card", join_keys=(fs.Field("id", fs.Int64),), owner="cards@example.com")
paid = fs.DeltaSource(
    "paid", path="data/paid", timestamp_field="at", available_timestamp_field="known_at",
    description="Payments of cards",
)
basket = fs.RequestSource("basket", schema=(fs.Field("price", fs.Float64),))
profile = fs.FeatureView(
    "profile", entities=(card,), source=paid, schema=(fs.Field("city", fs.String),), ttl="4h",
    description="The card's holder", owner="https://example.com/people", tags=("people",),
)
activity = fs.FeatureView(
    "activity", entities=(card,), source=paid, schedule="0 * * * *", owner="risk@example.com",
    schema=(fs.Field("amount", fs.Float64, description="The price paid, in euro"),),
    aggregations=(
        fs.Aggregation("amount", "sum", windows=("2h", fs.Tumbling("1d"))),
        fs.Aggregation("*", "count", windows=("lifetime",), delay="1h"),
    ),
)
daily = fs.FeatureView(
    "daily", entities=(card,), source=activity, schema=(fs.Field("amount", fs.Float64),),
)
share = fs.OnDemandFeatureView(
    "share", sources=(activity[["amount_sum_2h"]], basket),
    schema=(fs.Field("share", fs.Float64),), transform={"share": "price / amount_sum_2h"},
)
fraud = fs.FeatureService("fraud", features=(profile.with_prefix("card_"), activity, share))
"""


Make = Callable[[str], fs.FeatureStore]


@pytest.fixture
def make_store(tmp_path: Path) -> Make:
    """Return a function that applies definitions in a new project."""
    return lambda definitions: new_store(tmp_path, definitions)


def new_store(folder: Path, definitions: str) -> fs.FeatureStore:
    (folder / "feature_defs").mkdir(parents=True)
    (folder / "featurestore.toml").write_text('project = "shop"\n')
    (folder / "feature_defs" / "shop.py").write_text(definitions, "utf-8")
    store = fs.FeatureStore(folder, clock=lambda: NOW)
    if definitions:
        store.apply(store.plan())
    return store


@pytest.fixture
def store(tmp_path: Path) -> fs.FeatureStore:
    return filled_store(tmp_path / "project")


def filled_store(folder: Path) -> fs.FeatureStore:
    made = new_store(folder, DEFINITIONS)
    rows = feature_table({"id": [1, 2]}, [HOUR, 2 * HOUR], {"amount": [1.0, 10.0]})
    write_view(made, "activity", rows)
    runs = [
        ("r1", "done", datetime(2026, 3, 2, 11, 10, tzinfo=UTC), Outcome(rows_in=3, rows_out=2)),
        ("r2", "failed", datetime(2026, 3, 2, 12, 1, tzinfo=UTC), Outcome(error="no <space>")),
    ]
    for run_id, status, at, outcome in runs:
        own = {"view": "activity", "table_id": "activity-1", "kind": "run", "ended_at": at}
        Runs(made.layout).record(
            RunRecord(run_id, status=status, started_at=at, outcome=outcome, **own)
        )
    put_profiles(made.layout, NOW)
    return made


def site_of(store: fs.FeatureStore, now: datetime = NOW) -> dict[str, str]:
    """Return the text of each file of a store's site."""
    return dict(site_files(read_catalog(store, now)))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The site of the store, for tests that only read it."""
    return site_of(filled_store(tmp_path_factory.mktemp("site") / "project"))
