"""The seconds from the append of a row to an answer that has it, with a continuous process.

A process of its own materializes continuously. Here, rows are appended to its source at random
times, and each is looked up until the answer has it: by the newest values, and by those at a
moment after the row.
"""

import json
import random
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from deltalake import write_deltalake

import featurestore as fs
from benchmarks.spending import write_project
from featurestore.store.columns import UTC_MICROS

TRIGGER, APPENDS, CARDS, FIRST_ROWS = "1s", 30, 200, 10_000
_SEED, _PAUSE_SECONDS, _POLL_SECONDS, _PATIENCE_SECONDS = 7, (1.0, 4.0), 0.05, 600.0
_AGGREGATIONS = (
    'fs.Aggregation("amount", "sum", windows=("1h", "7d"))',
    'fs.Aggregation("*", "count", windows=("7d",))',
)


def measure(folder: Path) -> list[dict[str, object]]:
    """Return a row for each call: the median, the 90th percentile and the greatest time."""
    project = folder / "freshness"
    shutil.rmtree(project, ignore_errors=True)
    write_project(project, *_AGGREGATIONS)
    store = fs.FeatureStore(project)
    _append(store, FIRST_ROWS)
    store.apply(store.plan())
    command = [sys.executable, "-c", "from featurestore.cli import main; main()", "materialize"]
    command += ["--continuous", "--trigger", TRIGGER, "--project", str(project)]
    log = project / "continuous.log"
    with log.open("wb") as lines, subprocess.Popen(command, stderr=lines, stdout=lines) as running:
        try:
            return _rows(store, running)
        finally:
            running.terminate()
            running.wait(_PATIENCE_SECONDS)


def _rows(store: fs.FeatureStore, running: "subprocess.Popen[bytes]") -> list[dict[str, object]]:
    draw = random.Random(_SEED)
    calls = {"get_latest_features": _newest, "get_historical_features": _at_a_moment}
    _wait(lambda: store.status()[0].state == "current", running)
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(APPENDS + 2):
        name = list(calls)[number % len(calls)]
        time.sleep(draw.uniform(*_PAUSE_SECONDS))
        before = calls[name](store)
        _append(store, 1)
        begun = time.perf_counter()
        _wait(lambda name=name, before=before: calls[name](store) > before, running)
        if number >= len(calls):  # the first batches warm the process up
            seconds[name].append(time.perf_counter() - begun)
    return [_row(name, each) for name, each in seconds.items()]


def _row(name: str, seconds: list[float]) -> dict[str, object]:
    return {
        "call": name,
        "trigger": TRIGGER,
        "rows": len(seconds),
        "median, seconds": round(statistics.median(seconds), 2),
        "90th percentile, seconds": round(statistics.quantiles(seconds, n=10)[-1], 2),
        "greatest, seconds": round(max(seconds), 2),
    }


def _wait(condition: Callable[[], bool], running: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        if running.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("the row did not come; see continuous.log in the project's folder")
        time.sleep(_POLL_SECONDS)


def _append(store: fs.FeatureStore, rows: int) -> None:
    """Append rows of now; a single one is of card 0."""
    now = datetime.now(UTC) - timedelta(milliseconds=1)
    cards = [number % CARDS for number in range(rows)]
    table = pa.table(
        {
            "card_id": pa.array(cards, pa.int64()),
            "event_timestamp": pa.array([now] * rows, UTC_MICROS),
            "amount": pa.array([1.0] * rows, pa.float64()),
        }
    )
    write_deltalake(store.settings.folder / "payments", table, mode="append")


def _newest(store: fs.FeatureStore) -> int:
    rows = store.get_latest_features("spending", [{"card_id": 0}])
    return int(rows.to_arrow()["count_7d"][0].as_py() or 0)


def _at_a_moment(store: fs.FeatureStore) -> int:
    spine = [{"card_id": 0, "event_timestamp": datetime.now(UTC)}]
    rows = store.get_historical_features("spending", spine)
    return int(rows.to_arrow()["count_7d"][0].as_py() or 0)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(Path(sys.argv[1])), indent=1) + "\n")
