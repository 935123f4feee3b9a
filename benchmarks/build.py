"""The feature tables of the workloads, built once by Spark, as in any project."""

import shutil
from pathlib import Path

import featurestore as fs
from benchmarks import hundred_million
from benchmarks.generate import write_parquet
from benchmarks.workload import FUNCTIONS, HOURS, Workload, is_written, mark_written

AS_OF = """\
import featurestore as fs

thing = fs.Entity("thing", join_keys=({keys}))
VIEWS = []
for view, features in {views!r}.items():
    source = fs.FileSource(f"s_{{view}}", path=view, format="parquet", timestamp_field="ts"{late})
    VIEWS.append(fs.FeatureView(
        view, entities=(thing,), source=source, latest=False, ttl={ttl!r},
        schema=tuple(fs.Field(name, fs.Float64) for name in features),
    ))
bench = fs.FeatureService("bench", features=tuple(VIEWS))
first = fs.FeatureService("first", features=(VIEWS[0],))
"""

# Both views have the same rows.
EVENTS = """\
import featurestore as fs

thing = fs.Entity("thing", join_keys=({keys}))
source = fs.FileSource("events", path="events", format="parquet", timestamp_field="ts")
values = tuple(fs.Field(name, fs.Float64) for name in {values!r})
as_of = fs.FeatureView(
    "as_of", entities=(thing,), source=source, schema=values, latest=False,
)
windows = fs.FeatureView(
    "windows", entities=(thing,), source=source, schema=values, latest=False,
    aggregations=tuple(
        fs.Aggregation("amount", function, windows={windows!r}) for function in {functions!r}
    ),
)
asof = fs.FeatureService("asof", features=(as_of,))
amount = fs.FeatureService("amount", features=(as_of[("amount",)],))
bench = fs.FeatureService("bench", features=(windows,))
hour = fs.FeatureService("hour", features=(windows[{hour!r}],))
month = fs.FeatureService("month", features=(windows[{month!r}],))
"""


def build(workload: Workload, data: Path) -> Path:
    """Build the workload below ``data`` unless it exists, and return its folder."""
    folder = data / workload.name
    if not is_written(workload, folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_project(workload, folder)
        if workload.name.startswith(hundred_million.NAME):
            hundred_million.write(workload, folder)
        else:
            write_parquet(workload, folder)
            _materialize(folder)
        mark_written(workload, folder)
    return folder


def write_project(workload: Workload, folder: Path) -> None:
    """Write the project's settings and its definitions."""
    (folder / "featurestore.toml").write_text('project = "bench"\n')
    (folder / "feature_defs").mkdir()
    (folder / "feature_defs" / "bench.py").write_text(definitions(workload))


def definitions(workload: Workload) -> str:
    """Return the project's definitions as Python."""
    kind = "String" if workload.key == "string" else "Int64"
    keys = "".join(f'fs.Field("{name}", fs.{kind}), ' for name in workload.join_keys)
    if workload.events:
        names = {
            length: tuple(f"amount_{function}_{length}" for function in FUNCTIONS)
            for length in HOURS
        }
        return EVENTS.format(
            keys=keys,
            values=workload.view_features["events"],
            windows=tuple(HOURS),
            functions=FUNCTIONS,
            hour=names["1h"],
            month=names["30d"],
        )
    return AS_OF.format(
        keys=keys,
        views=workload.view_features,
        ttl=workload.ttl_days and f"{workload.ttl_days}d",
        late=', available_timestamp_field="known_at"' if workload.late else "",
    )


def _materialize(folder: Path) -> None:
    store = fs.FeatureStore(folder)
    store.apply(store.plan())
    failed = [run.message for run in store.materialize() if run.status == "failed"]
    if failed:
        raise RuntimeError(failed)
