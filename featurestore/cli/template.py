"""The small working project of ``featurestore init``: definitions, orders and a spine."""

import random
import re
from datetime import datetime, timedelta
from pathlib import Path

from featurestore.errors import ProjectError
from featurestore.times import Clock, system_clock

CUSTOMERS, ORDERS, DAYS, SEED = 40, 1_500, 90, 7

SETTINGS = """\
project = "{project}"
root = "store"                  # the folder, or the object store's URL, with all tables
definitions = "feature_defs"    # the folder with the definitions, which are plain Python
spark_conf = "spark-conf/local.conf"
"""

SPARK = """\
# Spark's settings for this project, in the format of spark-defaults.conf.
spark.master                   local[*]
spark.driver.memory            2g
# Only the JVM's first compiler: it halves the CPU time of short runs. Remove this line for
# sources of millions of rows.
spark.driver.extraJavaOptions  -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
"""

IGNORED = """\
store/
site/
.*.lock
.featurestore/
__pycache__/
"""

DEFINITIONS = '''\
"""Features of a shop's customers: the city of the last order, and recent orders."""

import featurestore as fs

# An entity is what features describe. Its join keys identify it in every table.
customer = fs.Entity("customer", join_keys=(fs.Field("customer_id", fs.Int64),))

# A source says where raw rows come from, and which column is the time of the event.
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
    description="One row for each order, in CSV files. New files are new orders.",
)

# Expectations say which values a row may have. A row that fails one is not stored: it goes to the
# quarantine, which `featurestore quarantine show` lists. They need pandera:
#     pip install 'featurestore[quality]'
# Then remove the # before `expectations` below, and run `featurestore apply`.
def order_checks():
    """Return the checks of an order."""
    import pandera.polars as pa

    return pa.DataFrameSchema({"amount": pa.Column(float, pa.Check.in_range(0, 10_000))})


# Without aggregations, a feature is the value of the newest row before the moment.
customer_profile = fs.FeatureView(
    "customer_profile",
    entities=(customer,),
    source=orders,
    schema=(fs.Field("city", fs.String, description="The city of the last order."),),
    ttl="60d",  # if the last order is older, the feature is null
    schedule="0 * * * *",  # each hour, in UTC: `featurestore materialize --due` runs what is due
    description="The customer's last order.",
)

# With aggregations, a feature is a function of the rows in a window before the moment.
customer_activity = fs.FeatureView(
    "customer_activity",
    entities=(customer,),
    source=orders,
    transform="SELECT *, amount >= 100 AS large FROM {source}",
    schema=(
        fs.Field("amount", fs.Float64, description="The value of the order in euros."),
        fs.Field("large", fs.Boolean),
    ),
    aggregations=(
        fs.Aggregation("*", "count", windows=("7d", "30d")),
        fs.Aggregation("amount", "sum", windows=("7d", "30d")),
        fs.Aggregation("amount", "max", windows=("30d",)),
        fs.Aggregation("large", "last"),
    ),
    schedule="0 * * * *",
    # expectations=order_checks,
    description="The customer's recent orders.",
)

# A service lists the features that one model uses.
returns_v1 = fs.FeatureService(
    "returns_v1",
    features=(customer_activity, customer_profile),
    description="Will the customer send the order back?",
)
'''

EMPTY_DEFINITIONS = '''\
"""The definitions of this project: entities, sources, views and services.

A start, with your own names. `featurestore init example` writes a whole example.

    import featurestore as fs

    customer = fs.Entity("customer", join_keys=(fs.Field("customer_id", fs.Int64),))
    orders = fs.FileSource(
        "orders", path="data/orders", format="parquet", timestamp_field="ordered_at"
    )
    activity = fs.FeatureView(
        "activity",
        entities=(customer,),
        source=orders,
        schema=(fs.Field("amount", fs.Float64),),
        aggregations=(fs.Aggregation("amount", "sum", windows=("7d", "30d")),),
    )
    returns_v1 = fs.FeatureService("returns_v1", features=(activity,))
"""
'''

GUIDE = """\
# {project}

    featurestore plan                         # show what would change
    featurestore apply --yes                  # record the definitions
    featurestore materialize                  # build the feature tables (starts Spark)
    featurestore training-set returns_v1 spine.csv --label returned
    featurestore latest returns_v1 customer_id=1 customer_id=2
    featurestore explain returns_v1 customer_id=1   # where each value comes from
    featurestore verify returns_v1            # compare sampled values with a reference
    featurestore historical returns_v1 customer_id=1 --at 2026-01-31T12:00:00Z
    featurestore status

In Python:

    import featurestore as fs

    with fs.FeatureStore(".") as store:
        training = store.get_training_set("returns_v1", "spine.csv", label="returned")
        print(training.to_arrow().to_pylist()[0])

The definitions are in `feature_defs/shop.py`. The orders are in `data/orders/`. Add a file there
and run `featurestore materialize` again: only the new file is read.

Both views have a schedule. `featurestore materialize --due` runs the views that are due, and
`featurestore schedule export cron` writes the line for cron that calls it. systemd, Airflow and
Dagster can call it, too. The definitions have an example of expectations, too: checks of each row.

`spine.csv` has one row for each order to learn from: the customer, the time of the order, and
whether the order was returned. `training-set` adds the features as of that time.
"""


def write_project(folder: Path, clock: Clock = system_clock) -> list[Path]:
    """Write a whole example project and return the paths of its files.

    Args:
        folder: The project's folder, which also names the project. It is created if necessary.
        clock: Gives the present moment. The orders are from the 90 days before it, so that the
            windows of the latest features are not empty.

    Raises:
        ProjectError: One of the files exists, or cannot be written. Nothing is written then.
    """
    project = _project_name(folder)
    files = {
        "featurestore.toml": SETTINGS.replace("{project}", project),
        ".gitignore": IGNORED,
        "README.md": GUIDE.replace("{project}", project),
        "spark-conf/local.conf": SPARK,
        "feature_defs/shop.py": DEFINITIONS,
        **_data(clock()),
    }
    for name in files:
        if (folder / name).exists():
            is_project = (folder / "featurestore.toml").exists()
            settings_only = f" Or add only the settings: featurestore init --empty {folder}."
            raise ProjectError(
                f"init {folder}",
                f"{name} exists already",
                f"Choose another folder.{'' if is_project else settings_only}",
            )
    return _write(folder, files)


def write_settings(folder: Path) -> list[Path]:
    """Write the settings of a project without definitions and data, and return the paths.

    Other files than ``featurestore.toml`` that exist already stay as they are.

    Args:
        folder: The project's folder, which also names the project. It is created if necessary.

    Raises:
        ProjectError: The folder is a project already, or a file cannot be written.
    """
    if (folder / "featurestore.toml").exists():
        raise ProjectError(
            f"init {folder} --empty",
            "featurestore.toml exists already",
            "Add definitions to its folder of definitions, or choose another folder.",
        )
    files = {
        "featurestore.toml": SETTINGS.replace("{project}", _project_name(folder)),
        ".gitignore": IGNORED,
        "spark-conf/local.conf": SPARK,
        "feature_defs/definitions.py": EMPTY_DEFINITIONS,
    }
    return _write(folder, {name: files[name] for name in files if not (folder / name).exists()})


def _project_name(folder: Path) -> str:
    """Return the folder's name as a project's name: letters, digits, - and _."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", folder.absolute().resolve().name).strip("_")
    return name or "shop"


def _check_local(folder: Path) -> None:
    if re.match(r"[a-z][a-z0-9+.-]+:/", str(folder)):
        raise ProjectError(
            f"init {folder}",
            "it is a URL, and definitions are in a folder of this machine",
            "Choose a local folder, and write the URL as root in its featurestore.toml: tables "
            "may be anywhere.",
        )


def _write(folder: Path, files: dict[str, str]) -> list[Path]:
    _check_local(folder)
    try:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ProjectError(
            f"init {folder}",
            f"{error.filename or folder} cannot be written: {error.strerror}",
            "Choose another folder, or free its disk and allow to write there.",
        ) from None
    return [folder / name for name in files]


def _data(now: datetime) -> dict[str, str]:
    """Return random orders in two files, and a spine of some of them with their labels."""
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
