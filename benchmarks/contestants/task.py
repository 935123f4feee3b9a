"""What every contestant is asked and how it tells: one JSON line, with sums to compare by."""

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
    """One question.

    Args:
        folder: The workload's folder.
        workload: What it holds.
        spine: The spine's name.
        service: The features: ``bench`` for all of them, or another of the definitions.
        memory_limit: What the contestant may use, e.g. ``2GB``; None for no limit.
    """

    folder: Path
    workload: Workload
    spine: str
    service: str
    memory_limit: str | None = None

    @property
    def spine_file(self) -> Path:
        """The spine as Parquet."""
        return self.folder / f"{self.spine}.parquet"

    @property
    def views(self) -> dict[str, list[str]]:
        """The features asked of each view."""
        views = self.workload.view_features
        return {"v0": views["v0"]} if self.service == "first" else views


Way = Callable[[Task], Callable[[], pa.Table]]
"""Prepares for a task, and returns what is timed: it gives the answer."""


def run(ways: Mapping[str, Way]) -> None:
    """Do what the command line asks, and print how long it took and what came out."""
    args = _arguments(ways)
    workload = read_workload(args.folder)
    task = Task(args.folder, workload, args.spine, args.service, args.memory_limit)
    answer = ways[args.way](task)
    seconds, tables = [], []
    while _goes_on(seconds, args.repeats):
        start = time.perf_counter()
        table = answer()
        seconds.append(time.perf_counter() - start)
        tables = [*tables, table] if args.collect else [table]
    line = {"seconds": seconds, "peak_bytes": peak_bytes()}
    print(json.dumps(line | {"answer": summary(pa.concat_tables(tables), workload)}))


def _goes_on(seconds: Sequence[float], repeats: int | None) -> bool:
    if repeats is not None:
        return len(seconds) < repeats
    # What is quick is measured more often: its first runs wait for memory of the system.
    return len(seconds) < LEAST_RUNS or sum(seconds) < LEAST_SECONDS


def summary(table: pa.Table, workload: Workload) -> dict[str, list[float]]:
    """Return, of each feature, how many values it has, their sum, and their sum weighted by row.

    Rows may come in any order: ``row`` says which of the spine's each is.
    """
    row = table["row"] if "row" in table.column_names else None
    given = {*workload.join_keys, "ts", "event_timestamp", "row"}
    told = {}
    for name in table.column_names:
        if name not in given:
            values = table[name].cast(pa.float64())
            told[name] = [len(values) - values.null_count, pc.sum(values).as_py() or 0.0]
            if row is not None:
                told[name].append(pc.sum(pc.multiply(values, row)).as_py() or 0.0)
    return told


def peak_bytes() -> int | None:
    """Return the most memory that this process ever held, where the system tells."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
    return int(found[1]) * 1024 if found else None


def _arguments(ways: Mapping[str, Way]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("way", choices=sorted(ways))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--spine", default="spine")
    parser.add_argument("--service", default="bench")
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--memory-limit")
    parser.add_argument("--collect", action="store_true", help="sum up all calls' rows")
    return parser.parse_args()
