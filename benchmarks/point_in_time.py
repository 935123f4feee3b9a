"""The point-in-time join of 500,000 spine rows with five views, beside DuckDB and Polars."""

import json
import math
import subprocess
import sys
from pathlib import Path

import featurestore as fs
from benchmarks.workload import Workload, write

NAMES = ("scan", "duckdb", "polars", "featurestore")

DEFINITIONS = """\
import featurestore as fs

thing = fs.Entity("thing", join_keys=(fs.Field("id", fs.Int64),))
VIEWS = []
for number in range({views}):
    source = fs.FileSource(
        f"s{{number}}", path=f"v{{number}}", format="parquet", timestamp_field="ts"
    )
    VIEWS.append(fs.FeatureView(
        f"v{{number}}", entities=(thing,), source=source, latest=False,
        schema=tuple(fs.Field(f"v{{number}}_f{{f}}", fs.Float64) for f in range({features})),
    ))
bench = fs.FeatureService("bench", features=tuple(VIEWS))
"""


def measure(folder: Path) -> list[dict[str, object]]:
    """Return one row a contestant: seconds, and its ratio to the scan and to ours.

    Raises:
        RuntimeError: The contestants' answers differ.
    """
    workload = Workload()
    data = write(workload, folder)
    _materialize(data, workload)
    results = [_run(name, data) for name in NAMES]
    _compare([result for result in results if result["name"] != "scan"])
    seconds = {result["name"]: result["seconds"] for result in results}
    return [
        {
            "way": name,
            "seconds": round(seconds[name], 3),
            "x scan": round(seconds[name] / seconds["scan"], 2),
            "x duckdb": round(seconds[name] / seconds["duckdb"], 2),
        }
        for name in NAMES
    ]


def _materialize(data: Path, workload: Workload) -> None:
    """Build the feature tables by Spark as any project does; a second run finds nothing new."""
    (data / "featurestore.toml").write_text('project = "bench"\n')
    (data / "feature_defs").mkdir(exist_ok=True)
    text = DEFINITIONS.format(views=workload.views, features=workload.features)
    (data / "feature_defs" / "bench.py").write_text(text)
    store = fs.FeatureStore(data)
    plan = store.plan()
    if plan.changes:
        store.apply(plan)
    if any(view.state != "current" for view in store.status()):
        failed = [run for run in store.materialize() if run.status == "failed"]
        if failed:
            raise RuntimeError(failed)


def _run(name: str, data: Path) -> dict[str, object]:
    command = [sys.executable, "-m", "benchmarks.contestants", name, str(data)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def _compare(results: list[dict[str, object]]) -> None:
    first = results[0]
    for other in results[1:]:
        same = first["rows"] == other["rows"] and all(
            math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-6)
            for a, b in zip(first["sums"], other["sums"], strict=True)
        )
        if not same:
            raise RuntimeError(f"{other['name']} answers otherwise than {first['name']}")
