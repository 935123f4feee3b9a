"""A build of many rows beside Spark's plain sorted write of them, with a driver of 2 GB.

``python -m benchmarks size 25000000 50000000`` builds 25 and 50 million rows, each in a process of
its own, and prints the seconds, the CPU seconds, their ratios, and the driver's memory. With
``--cluster``, the driver and two executors of 2 GB are processes of their own. With ``--files
10000``, it builds a view of as many small Parquet files instead. Its folder is removed.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake

import featurestore as fs
from benchmarks.cpu import cpu_seconds
from featurestore.cli.output import print_table, say
from featurestore.store.columns import UTC_MICROS
from featurestore.store.delta.replacement import ROWS_PER_FILE
from featurestore.store.ledger.tables import Tables

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

HERE = Path(__file__).parent
PIECE = 1_000_000
ROWS_PER_KEY = 100
START_US, SPAN_US = 1_767_225_600_000_000, 90 * 86_400_000_000
WARM_ROWS = 100_000
ROWS_PER_SMALL_FILE = 200
CONF = """
spark.master           {master}
spark.driver.memory    2g
spark.executor.memory  2g
"""
TIME, CPU = "seconds", "CPU seconds"
LOCAL, CLUSTER = "local[2]", "local-cluster[2,1,2048]"
DEFINITIONS = """
import featurestore as fs

card = fs.Entity("card", join_keys=(fs.Field("card_id", fs.Int64),))


FIELDS = (
    fs.Field("amount", fs.Float64),
    fs.Field("ratio", fs.Float64),
    fs.Field("items", fs.Int64),
    fs.Field("kind", fs.String),
)


def view(source, name="", profile=True):
    return fs.FeatureView(
        name or source.name,
        entities=(card,),
        source=source,
        schema=FIELDS,
        latest=False,
        profile=profile,
    )


warm_source = fs.DeltaSource("warm", path="warm", timestamp_field="at")
payments_source = fs.DeltaSource("payments", path="payments", timestamp_field="at")
files_source = fs.FileSource("files", path="files", timestamp_field="at", format="parquet")
views = [
    view(warm_source, "warm_build"),
    view(payments_source, "payments_build"),
    view(payments_source, "payments_without_profile", profile=False),
    view(files_source, "files_build"),
]
"""


def main(words: list[str]) -> int:
    """Measure as the words of the command line say; the words of a child process name a way."""
    args = _arguments(words)
    if args.way:
        sys.stdout.write(json.dumps(WAYS[args.way](args.data)) + "\n")
        return 0
    if args.files:
        rows = [_of_files(args.data, count) for count in (args.files // 2, args.files)]
    else:
        rows = [row for count in args.rows for row in _measured(args, count)]
    print_table(list(rows[0]), [list(row.values()) for row in rows], title="size")
    return 0


def _arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks size", description=__doc__)
    parser.add_argument("rows", type=int, nargs="*", default=[2_000_000, 4_000_000])
    parser.add_argument("--data", type=Path, default=HERE / "data")
    parser.add_argument("--ways", nargs="*", default=["plain", "ours"], choices=tuple(WAYS))
    parser.add_argument("--cluster", action="store_true", help="with executors of their own")
    parser.add_argument("--files", type=int, help="the number of small files of the source")
    parser.add_argument("--way", choices=tuple(WAYS), help=argparse.SUPPRESS)
    return parser.parse_args(words)


def _measured(args: argparse.Namespace, rows: int) -> Iterator[dict[str, object]]:
    """Yield what each way takes for so many rows."""
    with _folder(args.data / f"size_{rows}") as folder:
        _write_project(folder, CLUSTER if args.cluster else LOCAL)
        for name, count in (("warm", WARM_ROWS), ("payments", rows)):
            reader = pa.RecordBatchReader.from_batches(_piece(0, 0, 1).schema, _pieces(count))
            write_deltalake(folder / name, reader)
        results = {way: _in_process(way, folder) for way in args.ways}
        first = results[args.ways[0]]
        for way, result in results.items():
            ratios = {f"ratio of {name}": _ratio(result, first, name) for name in (TIME, CPU)}
            yield {"rows": f"{rows:,}", "way": way} | ratios | result


def _of_files(data: Path, files: int) -> dict[str, object]:
    """Return what a build of so many small files takes, and a run for one more."""
    with _folder(data / f"files_{files}") as folder:
        _write_project(folder, LOCAL)
        write_deltalake(folder / "warm", pa.Table.from_batches(_pieces(WARM_ROWS)))
        (folder / "files").mkdir()
        for number in range(files):
            _write_file(folder, number)
        return {"files of the source": f"{files:,}"} | _in_process("files", folder)


def _write_file(folder: Path, number: int) -> None:
    rows = pa.Table.from_batches([_piece(number, ROWS_PER_SMALL_FILE, 10_000)])
    pq.write_table(rows, folder / "files" / f"{number:08}.parquet")


@contextmanager
def _folder(path: Path) -> Iterator[Path]:
    folder = path.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _ratio(result: dict[str, object], first: dict[str, object], name: str) -> float:
    return round(float(str(result[name])) / float(str(first[name])), 2)


def _write_project(folder: Path, master: str) -> None:
    (folder / "feature_defs").mkdir(parents=True)
    settings = 'project = "size"\nspark_conf = "spark.conf"\n'
    (folder / "featurestore.toml").write_text(settings)
    (folder / "spark.conf").write_text(CONF.format(master=master))
    (folder / "feature_defs" / "views.py").write_text(DEFINITIONS)


def _pieces(rows: int) -> Iterator[pa.RecordBatch]:
    for start in range(0, rows, PIECE):
        yield _piece(start, min(PIECE, rows - start), max(rows // ROWS_PER_KEY, 1))


def _piece(start: int, count: int, keys: int) -> pa.RecordBatch:
    rng = np.random.default_rng(start)
    return pa.RecordBatch.from_pydict(
        {
            "card_id": rng.integers(0, keys, count),
            "at": pa.array(rng.integers(START_US, START_US + SPAN_US, count)).cast(UTC_MICROS),
            "amount": rng.gamma(2.0, 30.0, count),
            "ratio": rng.random(count),
            "items": rng.integers(1, 9, count),
            "kind": pa.array(np.array(["card", "cash", "online"])[rng.integers(0, 3, count)]),
        }
    )


def _in_process(way: str, folder: Path) -> dict[str, object]:
    command = [sys.executable, "-m", "benchmarks", "size", "--way", way, "--data", str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    say("  {}: {} s, {} s of CPU", way, result[TIME], result[CPU])
    return result


def _ours(folder: Path, view: str = "payments_build") -> dict[str, object]:
    """Build the view's table, after a small build that warms the session up."""
    with fs.FeatureStore(folder) as store:
        store.apply(store.plan())
        # Full for each way: a run without new rows would warm nothing.
        store.materialize("warm_build", full=True)
        measured = _watched(store._job().spark(), lambda: store.materialize(view))
        return measured | _sizes(_table(store, view))


def _without_profile(folder: Path) -> dict[str, object]:
    return _ours(folder, "payments_without_profile")


def _files(folder: Path) -> dict[str, object]:
    """Build a view of small files, and store one more file."""
    with fs.FeatureStore(folder) as store:
        store.apply(store.plan())
        # Full for each way: a run without new rows would warm nothing.
        store.materialize("warm_build", full=True)
        spark = store._job().spark()
        measured = _watched(spark, lambda: store.materialize("files_build"))
        _write_file(folder, 10**7)
        one = _watched(spark, lambda: store.materialize("files_build"))
        more = {f"one more file: {name}": one[name] for name in (TIME, CPU)}
        return measured | more | _sizes(_table(store, "files_build"))


def _plain(folder: Path) -> dict[str, object]:
    """Write the same stored columns of the source's rows sorted, into as many files."""
    with fs.FeatureStore(folder) as store:
        spark = store._job().spark()
        _sorted_write(spark, folder, "warm")
        measured = _watched(spark, lambda: _sorted_write(spark, folder, "payments"))
        return measured | _sizes(str(folder / "plain_payments"))


def _table(store: fs.FeatureStore, view: str) -> str:
    (record,) = (each for each in Tables(store.layout).records() if each.view == view)
    return store.layout.features(view, record.table_id)


def _sorted_write(spark: "SparkSession", folder: Path, name: str) -> None:
    source = spark.read.format("delta").load(str(folder / name))
    rows = source.selectExpr(
        "card_id", "at", "at AS seen", "amount", "ratio", "items", "kind", "xxhash64(*) AS hash"
    )
    files = -(-DeltaTable(folder / name).count() // ROWS_PER_FILE)
    ordered = rows.repartitionByRange(files, "card_id", "at")
    ordered.sortWithinPartitions("card_id", "at").write.format("delta").save(
        str(folder / f"plain_{name}")
    )


WAYS: dict[str, Callable[[Path], dict[str, object]]] = {
    "plain": _plain,
    "ours": _ours,
    "without-profile": _without_profile,
    "files": _files,
}


def _watched(spark: "SparkSession", work: Callable[[], object]) -> dict[str, object]:
    """Return the seconds of some work, and the driver's greatest memory meanwhile."""
    ended, live = threading.Event(), [0]
    pools = spark._jvm.java.lang.management.ManagementFactory.getMemoryPoolMXBeans()
    old = [pool for pool in pools if pool.isCollectionUsageThresholdSupported()]
    lasting = [pool for pool in old if "Old" in pool.getName() or "Tenured" in pool.getName()]

    def sample() -> None:
        while not ended.wait(0.5):
            live[0] = max(live[0], *(pool.getCollectionUsage().getUsed() for pool in lasting))

    java = str(spark._jvm.java.lang.ProcessHandle.current().pid())
    sampler = threading.Thread(target=sample)
    sampler.start()
    begun, cpu, own = time.perf_counter(), cpu_seconds(), _java_seconds(java)
    try:
        work()
    finally:
        seconds = time.perf_counter() - begun
        ended.set()
        sampler.join()
    return {
        TIME: round(seconds, 1),
        CPU: round(cpu_seconds() - cpu, 1),
        "the driver's Java": round(_java_seconds(java) - own, 1),
        "Python's peak, MB": _peak("self"),
        "Java's live heap, MB": round(live[0] / 1e6),
        "Java's peak, MB": _peak(java),
    }


def _peak(process: str) -> int:
    """Return the greatest resident memory of a process, in megabytes."""
    lines = Path("/proc", process, "status").read_text("utf-8").splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM"))
    return round(int(line.split()[1]) / 1000)


def _java_seconds(process: str) -> float:
    """Return the CPU seconds of a process, without those that it has started."""
    fields = Path("/proc", process, "stat").read_text("utf-8").rpartition(") ")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def _sizes(uri: str) -> dict[str, object]:
    actions = pa.RecordBatchReader.from_stream(DeltaTable(uri).get_add_actions()).read_all()
    sizes = actions["size_bytes"].to_pylist()
    return {"files": len(sizes), "MB a file": round(sum(sizes) / len(sizes) / 1e6, 1)}
