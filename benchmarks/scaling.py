"""Simulate a training set of any size on any cluster, and say what breaks first.

What a row costs is measured by `make bench-spark`. All else is an assumption that an option
changes. The simulation gives each task to the core that is free first.
"""

import argparse
import heapq
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields, replace

from benchmarks.spark.measured import Measured, NotMeasuredError, read_measured

GB = 1e9
# Beyond this factor nothing is looked for.
_FARTHEST = 2.0**20


@dataclass(frozen=True)
class Job:
    """A training set.

    Args:
        rows: Feature rows of all views together.
        spine: Spine rows.
        views: The number of views.
        task_rows: Spine rows of one task.
        hot: The share of all rows that have the same key. Range partitions divide it by time.
    """

    rows: float = 10e9
    spine: float = 1e9
    views: int = 5
    task_rows: float = 250_000
    hot: float = 0.0


@dataclass(frozen=True)
class Cluster:
    """Machines and storage. All of it is assumed, not measured.

    Args:
        executors: The number of executors.
        cores: Cores of an executor. A core runs one task with one Python worker.
        memory_gb: Memory of an executor, for Java and for the Python workers.
        java_gb: What Java takes of it.
        driver_gb: Memory of the driver.
        disk_gb: Local disk of an executor, for the exchange.
        network_mb: Megabytes that an executor exchanges in a second.
        storage_mb: Megabytes that an executor reads from storage in a second.
        requests: Requests that storage answers in a second for the files of one view. S3 states
            5,500 for each prefix.
        request_ms: Milliseconds of one request. A task waits for as many at once as it has views.
        request_mb: Megabytes of one request.
        group_rows: Rows of a row group. A task reads the whole group at each end of its range.
        file_mb: Megabytes of a file.
        file_bytes: Memory of one file's entry in an open snapshot. Each worker has all of them.
        split_mb: Megabytes of the spine that one task of the exchange reads.
        block_us: Microseconds to fetch one block of the exchange.
        tasks_a_second: Tasks that a driver can start in a second.
        slow: The share of the executors that are half as fast.
        hours: Hours that the job may take.
    """

    executors: int = 100
    cores: int = 4
    memory_gb: float = 16
    java_gb: float = 6
    driver_gb: float = 8
    disk_gb: float = 100
    network_mb: float = 500
    storage_mb: float = 200
    requests: float = 5_500
    request_ms: float = 50
    request_mb: float = 4
    group_rows: float = 50_000
    file_mb: float = 128
    file_bytes: float = 4_000
    split_mb: float = 128
    block_us: float = 200
    tasks_a_second: float = 1_000
    slow: float = 0.05
    hours: float = 8


@dataclass(frozen=True)
class Stage:
    """Tasks of the same size.

    Args:
        name: Its name.
        tasks: The number of tasks.
        seconds: Seconds of one core that a task computes.
        storage_bytes: Bytes that a task reads from storage, or writes to it.
        network_bytes: Bytes that a task exchanges.
        waits: Seconds that a task waits for requests.
    """

    name: str
    tasks: int
    seconds: float
    storage_bytes: float
    network_bytes: float
    waits: float


@dataclass(frozen=True)
class Use:
    """How much of a limit a job uses.

    Args:
        name: What is limited.
        used: What the job uses.
        limit: What there is.
        unit: The unit of both.
        why: How it grows.
    """

    name: str
    used: float
    limit: float
    unit: str
    why: str

    @property
    def share(self) -> float:
        """The used share of the limit."""
        return self.used / self.limit


def stages(job: Job, cluster: Cluster, measured: Measured) -> tuple[Stage, ...]:
    """Return the stages of a scan: the spine is exchanged by ranges, then each range answered."""
    # Spark reads it twice: first a sample of it, for the limits of the ranges.
    spine_bytes = 2 * job.spine * measured.spine_bytes
    splits = max(1, math.ceil(spine_bytes / (cluster.split_mb * 1e6)))
    tasks = max(1, math.ceil(job.spine / job.task_rows))
    read = _rows_read(job, cluster, tasks) * measured.feature_read_bytes
    requests = read / (cluster.request_mb * 1e6) + job.views
    computed = (
        measured.task_seconds
        + job.rows / tasks * measured.feature_seconds
        + job.spine / tasks * job.views * measured.spine_seconds
    )
    exchanged = job.spine * measured.exchange_bytes
    return (
        Stage(
            "exchange the spine",
            splits,
            measured.task_seconds,
            spine_bytes / splits,
            exchanged / splits,
            cluster.request_ms / 1e3,
        ),
        Stage(
            "read the features and answer",
            tasks,
            computed,
            read + job.spine / tasks * measured.written_bytes,
            exchanged / tasks,
            requests / job.views * cluster.request_ms / 1e3 + splits * cluster.block_us / 1e6,
        ),
    )


def _rows_read(job: Job, cluster: Cluster, tasks: int) -> float:
    """Return the feature rows that a task reads: those of its range, and the groups at its ends.

    Tasks that divide one key by time need its rows before their range too. At worst, these are
    the groups of one more end, because an as-of answer needs the last row before a range only.
    """
    ends = 1 + job.hot
    return job.rows / tasks + ends * job.views * cluster.group_rows


def simulate(stage: Stage, cluster: Cluster) -> float:
    """Return the seconds of a stage: each task runs on the core that is free first."""
    slow = round(cluster.slow * cluster.executors)
    bytes_s = max(
        stage.storage_bytes / (cluster.storage_mb * 1e6 / cluster.cores),
        stage.network_bytes / (cluster.network_mb * 1e6 / cluster.cores),
    )
    # Reading and computing overlap only between the tasks of an executor: at worst, not at all.
    seconds = stage.seconds + bytes_s + stage.waits
    speeds = [2.0 if number < slow else 1.0 for number in range(cluster.executors)]
    free = [(0.0, speed) for speed in speeds for _ in range(cluster.cores)]
    rounds = stage.tasks // len(free) - 20
    began = 0.0
    if rounds > 0:  # all rounds but the last are the same: they need no simulation
        rate = sum(1 / (speed * seconds) for _, speed in free)
        began = rounds * len(free) / rate
    for _ in range(stage.tasks - max(0, rounds) * len(free)):
        at, speed = heapq.heappop(free)
        heapq.heappush(free, (at + speed * seconds, speed))
    return began + max(at for at, _ in free)


def uses(job: Job, cluster: Cluster, measured: Measured) -> tuple[Use, ...]:
    """Return how much of each limit a job uses."""
    exchange, answer = stages(job, cluster, measured)
    seconds = [simulate(stage, cluster) for stage in (exchange, answer)]
    files = job.rows * measured.feature_read_bytes / (cluster.file_mb * 1e6)
    requests = answer.tasks * _rows_read(job, cluster, answer.tasks) * measured.feature_read_bytes
    rate = requests / (cluster.request_mb * 1e6) / seconds[1]
    growing = job.task_rows * (measured.exchange_bytes + measured.written_bytes)
    worker = measured.worker_bytes + growing + files * cluster.file_bytes
    java, workers = cluster.java_gb, cluster.cores * worker / GB
    exchanged = job.spine * measured.exchange_bytes / cluster.executors
    driver = files * cluster.file_bytes + answer.tasks * 4_000 + exchange.tasks * answer.tasks / 8
    return (
        Use("time", sum(seconds) / 3600, cluster.hours, "h", "with the rows"),
        Use(
            "memory of an executor",
            java + workers,
            cluster.memory_gb,
            "GB",
            "with the number of files: each worker has the list of all files open",
        ),
        Use(
            "memory of the driver",
            driver / GB,
            cluster.driver_gb,
            "GB",
            "with the blocks of the exchange: tasks that write times tasks that read",
        ),
        Use("local disk of an executor", exchanged / GB, cluster.disk_gb, "GB", "with the spine"),
        Use(
            "requests to storage",
            rate,
            cluster.requests * job.views,
            "a second",
            "with the executors, not with the rows",
        ),
        Use(
            "tasks that the driver starts",
            (exchange.tasks + answer.tasks) / sum(seconds),
            cluster.tasks_a_second,
            "a second",
            "with the executors, not with the rows",
        ),
    )


def breaks_at(name: str, job: Job, cluster: Cluster, measured: Measured) -> float | None:
    """Return the factor of all rows from which a limit is exceeded. None if it never is."""

    def share(factor: float) -> float:
        larger = replace(job, rows=job.rows * factor, spine=job.spine * factor)
        return next(it.share for it in uses(larger, cluster, measured) if it.name == name)

    return _first_above(share)


def _first_above(share: Callable[[float], float]) -> float | None:
    high = 2.0**-20
    while share(high) <= 1:
        high *= 2
        if high > _FARTHEST:
            return None
    low = high / 2
    for _ in range(20):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if share(middle) <= 1 else (low, middle)
    return high


def report(job: Job, cluster: Cluster, measured: Measured) -> str:
    """Return the stages, the limits and what breaks first, as text."""
    lines = [
        f"{_figure(job.rows)} feature rows in {job.views} views, {_figure(job.spine)} spine rows, "
        f"{cluster.executors} executors of {cluster.cores} cores",
        "",
        f"{'stage':<30}{'tasks':>9}{'s a task':>10}{'minutes':>10}",
    ]
    for stage in stages(job, cluster, measured):
        minutes = simulate(stage, cluster) / 60
        lines.append(f"{stage.name:<30}{stage.tasks:>9,}{stage.seconds:>10.2f}{minutes:>10.1f}")
    lines += ["", f"{'limit':<30}{'used':>12}{'of':>12}  {'unit':<10}{'exceeded at':>12}"]
    factors = {
        it: breaks_at(it.name, job, cluster, measured) for it in uses(job, cluster, measured)
    }
    for use, factor in factors.items():
        at = "never" if factor is None else f"{_figure(factor)} x"
        used, limit = _figure(use.used), _figure(use.limit)
        lines.append(f"{use.name:<30}{used:>12}{limit:>12}  {use.unit:<10}{at:>12}")
    found = {use: factor for use, factor in factors.items() if factor is not None}
    first = min(found, key=lambda it: found[it], default=None)
    if first is not None:
        times = found[first]
        rows, spine = (f"{each * times:.2g}" for each in (job.rows, job.spine))
        lines += [
            "",
            f"breaks first: {first.name}, at {_figure(times)} times these rows "
            f"({rows} feature rows, {spine} spine rows). It grows {first.why}.",
        ]
    return "\n".join(lines)


def inputs(measured: Measured) -> list[tuple[str, str]]:
    """Return the measured inputs with their units, for a table."""
    return [
        ("bytes read for each feature row", f"{measured.feature_read_bytes:.1f}"),
        ("bytes of the spine's file for each row", f"{measured.spine_bytes:.1f}"),
        ("bytes exchanged for each spine row", f"{measured.exchange_bytes:.1f}"),
        ("bytes written for each spine row", f"{measured.written_bytes:.1f}"),
        ("microseconds of a core for each feature row", f"{measured.feature_seconds * 1e6:.2f}"),
        (
            "microseconds of a core for each spine row and view",
            f"{measured.spine_seconds * 1e6:.2f}",
        ),
        (
            "milliseconds of a core for each task, beside its rows",
            f"{measured.task_seconds * 1e3:.0f}",
        ),
        ("peak memory of a Python worker, MB", f"{measured.worker_bytes / 1e6:.0f}"),
    ]


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def main(arguments: list[str] | None = None) -> int:
    """Print the report of the command line's job. Return 2 if nothing was measured yet."""
    args = vars(_parser().parse_args(arguments))
    job, cluster = (
        kind(**{each.name: args[each.name] for each in fields(kind)}) for kind in KINDS
    )
    try:
        measured = read_measured()
    except NotMeasuredError as error:
        print(error, file=sys.stderr)
        return 2
    changed = {each.name: args[each.name] for each in fields(Measured)}
    measured = replace(measured, **{name: it for name, it in changed.items() if it is not None})
    print(report(job, cluster, measured))
    return 0


KINDS = (Job, Cluster)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    for kind in (*KINDS, Measured):
        group = parser.add_argument_group(kind.__name__, (kind.__doc__ or "").strip())
        for each in fields(kind):
            default = None if kind is Measured else each.default
            number = int if isinstance(default, int) else float
            option = "--" + each.name.replace("_", "-")
            group.add_argument(option, type=number, default=default, help=f"default: {default}")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    return parser


if __name__ == "__main__":
    sys.exit(main())
