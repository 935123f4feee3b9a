"""The shop with on-demand features of SQL and of a function, from views and a request."""

from pathlib import Path
from typing import Any

import pyarrow as pa

import featurestore as fs
from tests.client.shop import DEFINITIONS, HOUR, NOW, at, write_view
from tests.tables import feature_table

ON_DEMAND = """
checkout = fs.RequestSource(
    "checkout", schema=(fs.Field("price", fs.Float64), fs.Field("pieces", fs.Int32))
)
shape = fs.OnDemandFeatureView(
    "shape",
    sources=(activity[["amount_sum_lifetime"]], profile.with_prefix("last_"), checkout),
    schema=(
        fs.Field("share", fs.Float64),
        fs.Field("at_home", fs.Boolean),
        fs.Field("hour", fs.Int64),
    ),
    transform={
        "share": "price * pieces / amount_sum_lifetime",
        "at_home": "last_city = 'a'  -- where the tests live",
        "hour": "hour(event_timestamp)",
    },
)
"""
FUNCTION = '''
import pyarrow as pa
import pyarrow.compute as pc

RATE = 2.0


def doubled(values):
    return pc.multiply(values, RATE)


def worth_of(inputs):
    """Return what a checkout is worth."""
    total = pc.multiply(inputs["price"], inputs["pieces"])
    return {"worth": doubled(total), "known": pc.is_valid(inputs["amount_sum_2h"])}  # all of it


worth = fs.OnDemandFeatureView(
    "worth",
    sources=(checkout, activity),
    schema=(fs.Field("worth", fs.Float64), fs.Field("known", fs.Boolean)),
    transform=worth_of,
)
'''
SERVICES = """
everything = fs.FeatureService(
    "everything", features=(worth, shape[["hour", "share"]].with_prefix("now_"), activity)
)
"""
SPINE = {
    "id": [1, 1, 2, 3, None],
    "event_timestamp": [at(2.5), at(5), at(5), at(5), at(5)],
    "price": [3.0, 7.0, 5.0, 1.0, None],
    "pieces": pa.array([1, 2, 3, 4, 5], pa.int64()),
}


def project(folder: Path, text: str, spark: Any = None) -> fs.FeatureStore:
    folder.mkdir(exist_ok=True)
    (folder / "featurestore.toml").write_text('project = "shop"\n')
    (folder / "feature_defs").mkdir(exist_ok=True)
    (folder / "feature_defs" / "shop.py").write_text(text)
    return fs.FeatureStore(folder, clock=lambda: NOW, spark=spark)


def filled_shop(folder: Path, spark: Any = None) -> fs.FeatureStore:
    store = project(folder, DEFINITIONS + ON_DEMAND + FUNCTION + SERVICES, spark)
    store.apply(store.plan())
    fill(store)
    return store


def fill(store: fs.FeatureStore) -> None:
    """Write the feature tables as materializations would."""
    events = [1 * HOUR, 2 * HOUR, 3 * HOUR]
    cities = {"city": ["a", "b", None]}
    write_view(store, "profile", feature_table({"id": [1, 1, 2]}, events, cities))
    amounts = {"amount": [1.0, 2.0, 10.0]}
    write_view(store, "activity", feature_table({"id": [1, 1, 2]}, events, amounts))


def returning(body: str) -> str:
    """Return definitions of `worth`, from the checkout alone, whose function returns this."""
    before, _, after = FUNCTION.partition('{"worth"')
    declared = after.partition("# all of it")[2].replace("(checkout, activity)", "(checkout,)")
    return DEFINITIONS + ON_DEMAND.partition("shape =")[0] + before + body + declared


def answers(frame: fs.FeatureFrame | fs.SparkFrame) -> dict[str, list[Any]]:
    return frame.to_arrow().select(list(frame.features)).to_pydict()
