"""The task of each contestant and its output: one JSON line with times and with sums."""

import argparse
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.workload import Workload, read_workload

LEAST_RUNS, LEAST_SECONDS = 3, 1.5


@dataclass(frozen=True)
class Task:
    """A query: a workload, a spine and features.

    Args:
        folder: The workload's folder.
        workload: The workload.
        spine: The spine's name.
        service: The service: ``bench`` for all features, or another one of the definitions.
        memory_limit: The memory that the contestant may use, e.g. ``2GB``. None for no limit.
        measures: Whether it also measures the bytes that are read, shuffled and written.
    """

    folder: Path
    workload: Workload
    spine: str
    service: str
    memory_limit: str | None = None
    measures: bool = False

    @property
    def spine_file(self) -> Path:
        """The spine's Parquet file."""
        return self.folder / f"{self.spine}.parquet"

    @property
    def views(self) -> dict[str, list[str]]:
        """The requested features of each view."""
        views = self.workload.view_features
        return {"v0": views["v0"]} if self.service == "first" else views


Way = Callable[[Task], Callable[[], pa.Table]]
"""A function that prepares a task and returns the function that is timed, which answers it."""


def run(ways: Mapping[str, Way]) -> None:
    """Run the task of the command line, and print its times and the sums of its answer."""
    args = _arguments(ways)
    task = _task(args)
    answer = ways[args.way](task)
    seconds, tables = [], []
    while _goes_on(seconds, args.repeats):
        start = time.perf_counter()
        table = answer()
        seconds.append(time.perf_counter() - start)
        tables = [*tables, table] if args.collect else [table]
    line = {"seconds": seconds, "peak_bytes": peak_bytes()}
    print(json.dumps(line | {"answer": summary(pa.concat_tables(tables), task.workload)}))


def task_of_arguments(ways: Mapping[str, object]) -> tuple[str, int | None, Task]:
    """Return the way of the command line, how often to run it, and the task."""
    args = _arguments(ways)
    return args.way, args.repeats, _task(args)


def _task(args: argparse.Namespace) -> Task:
    workload = read_workload(args.folder)
    return Task(args.folder, workload, args.spine, args.service, args.memory_limit, args.measures)


def _goes_on(seconds: Sequence[float], repeats: int | None) -> bool:
    if repeats is not None:
        return len(seconds) < repeats
    # Fast calls are repeated more often: their first runs wait for memory of the system.
    return len(seconds) < LEAST_RUNS or sum(seconds) < LEAST_SECONDS


def summary(table: pa.Table, workload: Workload) -> dict[str, list[float]]:
    """Return for each feature the number of its values, their sum, and their sum weighted by row.

    The rows may have any order: ``row`` is the row's number in the spine.
    """
    row = table["row"] if "row" in table.column_names else None
    spine_columns = {*workload.join_keys, "ts", "event_timestamp", "row"}
    sums = {}
    for name in table.column_names:
        if name not in spine_columns:
            values = table[name].cast(pa.float64())
            sums[name] = [len(values) - values.null_count, pc.sum(values).as_py() or 0.0]
            if row is not None:
                sums[name].append(pc.sum(pc.multiply(values, row)).as_py() or 0.0)
    return sums


def peak_bytes() -> int | None:
    """Return the peak memory of this process. None if the system does not report it."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    peak = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
    return int(peak[1]) * 1024 if peak else None


def _arguments(ways: Mapping[str, object]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("way", choices=sorted(ways))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--spine", default="spine")
    parser.add_argument("--service", default="bench")
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--memory-limit")
    parser.add_argument("--measures", action="store_true", help="also measure bytes and tasks")
    parser.add_argument("--collect", action="store_true", help="add up the rows of all calls")
    return parser.parse_args()
