"""The small working project that ``featurestore init`` writes: definitions, orders, a spine."""

import random
from datetime import datetime, timedelta
from pathlib import Path

from featurestore.errors import ProjectError
from featurestore.times import Clock, system_clock

CUSTOMERS, ORDERS, DAYS, SEED = 40, 1_500, 90, 7

SETTINGS = """\
project = "shop"
root = "store"                  # where the tables lie: a folder, or an object store's URL
definitions = "feature_defs"
spark_conf = "spark-conf/local.conf"
"""

SPARK = """\
# Settings on top of featurestore's own, spelt as spark-defaults.conf.
spark.master                   local[*]
spark.driver.memory            2g
# The JVM's first compiler alone halves the CPU of short runs; remove it for millions of rows.
spark.driver.extraJavaOptions  -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
"""

IGNORED = """\
store/
.featurestore/
__pycache__/
"""

DEFINITIONS = '''\
"""What a shop knows of its customers: their latest address, and how they ordered of late."""

import featurestore as fs

customer = fs.Entity("customer", join_keys=(fs.Field("customer_id", fs.Int64),))

orders = fs.FileSource(
    "orders",
    path="data/orders",
    format="csv",
    timestamp_field="ordered_at",
    schema=(
        fs.Field("customer_id", fs.Int64),
        fs.Field("ordered_at", fs.Timestamp),
        fs.Field("amount", fs.Float64),
        fs.Field("city", fs.String),
    ),
    description="One row an order, in CSV files that arrive as they are closed.",
)

customer_profile = fs.FeatureView(
    "customer_profile",
    entities=(customer,),
    source=orders,
    schema=(fs.Field("city", fs.String, description="Where the last order went."),),
    ttl="60d",
    description="What the customer's newest order says of the customer.",
)

customer_activity = fs.FeatureView(
    "customer_activity",
    entities=(customer,),
    source=orders,
    transform="SELECT *, amount >= 100 AS large FROM {source}",
    schema=(
        fs.Field("amount", fs.Float64, description="The order's value in euros."),
        fs.Field("large", fs.Boolean),
    ),
    aggregations=(
        fs.Aggregation("*", "count", windows=("7d", "30d")),
        fs.Aggregation("amount", "sum", windows=("7d", "30d")),
        fs.Aggregation("amount", "max", windows=("30d",)),
        fs.Aggregation("large", "last"),
    ),
    description="How the customer ordered of late.",
)

returns_v1 = fs.FeatureService(
    "returns_v1",
    features=(customer_activity, customer_profile),
    description="Will the customer send the order back?",
)
'''

GUIDE = """\
# shop

    featurestore plan                         # what would change
    featurestore apply --yes                  # record the definitions
    featurestore materialize                  # build the feature tables (starts Spark)
    featurestore training-set returns_v1 spine.csv --label returned
    featurestore latest returns_v1 customer_id=1 customer_id=2
    featurestore explain returns_v1 customer_id=1   # why each value is what it is
    featurestore verify returns_v1            # sampled values, recomputed in plain Python
    featurestore status

The definitions are in `feature_defs/shop.py`, the orders in `data/orders/`: add a file there and
run `featurestore materialize` again; only the new file is read.
"""


def write_project(folder: Path, clock: Clock = system_clock) -> list[Path]:
    """Write the project's files and return their paths.

    Args:
        folder: Where; made if it is not there.
        clock: The orders lie in the 90 days before this moment, so that windows hold some.

    Raises:
        ProjectError: One of the files exists: nothing is written then.
    """
    files = {
        "featurestore.toml": SETTINGS,
        ".gitignore": IGNORED,
        "README.md": GUIDE,
        "spark-conf/local.conf": SPARK,
        "feature_defs/shop.py": DEFINITIONS,
        **_data(clock()),
    }
    for name in files:
        if (folder / name).exists():
            raise ProjectError(
                f"init {folder}", f"there is a {name} already", "Choose another folder."
            )
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [folder / name for name in files]


def _data(now: datetime) -> dict[str, str]:
    """Seeded orders in two files, and a spine of orders with their outcome."""
    draw = random.Random(SEED)
    start = now.replace(microsecond=0) - timedelta(days=DAYS)
    seconds = sorted(draw.randrange(DAYS * 86_400) for _ in range(ORDERS))
    orders, spine = [], []
    for second in seconds:
        customer = draw.randrange(1, CUSTOMERS + 1)
        at = (start + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")
        amount = round(draw.lognormvariate(3.5, 0.9), 2)
        city = draw.choice(("Lyon", "Oslo", "Porto"))
        orders.append(f"{customer},{at},{amount},{city}")
        if second > DAYS * 86_400 // 2 and draw.random() < 0.2:
            spine.append(f"{customer},{at},{int(draw.random() < min(0.9, amount / 200))}")
    half = len(orders) // 2
    header = "customer_id,ordered_at,amount,city"
    return {
        "data/orders/part-1.csv": "\n".join([header, *orders[:half], ""]),
        "data/orders/part-2.csv": "\n".join([header, *orders[half:], ""]),
        "spine.csv": "\n".join(["customer_id,event_timestamp,returned", *spine, ""]),
    }
