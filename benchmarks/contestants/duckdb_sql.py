"""DuckDB over bare Parquet: the floor, ASOF joins, and three queries for windows."""

from collections.abc import Callable

import duckdb
import pyarrow as pa

from benchmarks.contestants.task import Task, Way, run
from benchmarks.workload import DAY_US, FUNCTIONS, HOURS

HOUR_US = 3_600_000_000
LENGTHS = {length: hours * HOUR_US for length, hours in HOURS.items()}
LONGEST = max(LENGTHS.values())
SQL = {"count": "count", "sum": "sum", "mean": "avg", "min": "min", "max": "max"}

# Times as integers: a timestamp with a zone minus an interval goes by the calendar, slowly.
SPINE = "(select *, epoch_us(ts) as t from '{folder}/spine.parquet')"
EVENTS = "(select id, epoch_us(ts) as t, amount from '{folder}/events/*.parquet')"


def scan(task: Task) -> Callable[[], pa.Table]:
    """The floor: read every needed column once, and sum it."""

    def answer() -> pa.Table:
        sums: dict[str, pa.ChunkedArray] = {}
        with duckdb.connect() as connection:
            for view, names in task.views.items():
                picks = ", ".join(f"sum({name}) as {name}" for name in names)
                rows = f"'{task.folder}/{view}/*.parquet'"
                query = f"select max(id) as id, max(epoch_us(ts)) as ts, {picks} from {rows}"
                table = connection.sql(query).to_arrow_table()
                sums |= dict(zip(table.column_names, table.columns, strict=True))
        return pa.table(sums)

    return answer


def asof(task: Task) -> str:
    """One ASOF join a view."""
    keys = task.workload.join_keys
    picks = [_value(task, view, name) for view, names in task.views.items() for name in names]
    joins = [
        f"asof left join {_rows(task, view)} {view} on "
        + " and ".join(f"s.{key} = {view}.{key}" for key in keys)
        + f" and s.ts >= {view}.known"
        for view in task.views
    ]
    return f"select s.*, {', '.join(picks)} from '{task.spine_file}' s {' '.join(joins)}"


def range_join(task: Task) -> str:
    """Join each spine row with its events of the longest window; filter for the others."""
    picks = [
        f"{SQL[function]}(amount) filter (where e.t >= s.t - {micros}) as {name}"
        for name, function, micros in _windows()
    ]
    return f"""
        select s.row, {", ".join(picks)} from {SPINE} s left join {EVENTS} e
        on s.id = e.id and e.t < s.t and e.t >= s.t - {LONGEST} group by s.row
    """.replace("{folder}", str(task.folder))


def running_sums(task: Task) -> str:
    """Counts and sums by running sums at both edges; least and greatest by a range join."""
    edges = {"now": 0, **{f"w{length}": micros for length, micros in LENGTHS.items()}}
    joins = [
        f"asof left join running {edge} on s.id = {edge}.id and s.t - {micros} > {edge}.t"
        for edge, micros in edges.items()
    ]
    picks = [_difference(name, function, length) for name, function, length in _lengths()]
    least = [
        f"{function}(amount) filter (where e.t >= s.t - {micros}) as {name}"
        for name, function, micros in _windows()
        if function in ("min", "max")
    ]
    return f"""
        with running as (
            select id, t, count(*) over w as n, sum(amount) over w as total
            from {EVENTS} window w as (partition by id order by t rows unbounded preceding)
        ), extremes as (
            select s.row, {", ".join(least)} from {SPINE} s join {EVENTS} e
            on s.id = e.id and e.t < s.t and e.t >= s.t - {LONGEST} group by s.row
        )
        select s.row, {", ".join(picks)} from {SPINE} s {" ".join(joins)}
        left join extremes x on x.row = s.row
    """.replace("{folder}", str(task.folder))


def frames(task: Task) -> str:
    """Spine and events in one relation; RANGE frames end a microsecond before each row."""
    picks = [
        f"{SQL[function]}(amount) over w{length} as {name}"
        for name, function, length in _lengths()
    ]
    frames = [
        f"w{length} as (partition by id order by t "
        f"range between {micros} preceding and 1 preceding)"
        for length, micros in LENGTHS.items()
    ]
    return f"""
        with rows as (
            select id, t, amount, null as row from {EVENTS}
            union all select id, t, null, row from {SPINE}
        ), told as (select row, {", ".join(picks)} from rows window {", ".join(frames)})
        select * from told where row is not null
    """.replace("{folder}", str(task.folder))


def way(query: Callable[[Task], str]) -> Way:
    """Return the way that runs a query in a database of its own."""

    def prepare(task: Task) -> Callable[[], pa.Table]:
        text = query(task)

        def answer() -> pa.Table:
            with duckdb.connect() as connection:
                connection.execute("set timezone = 'UTC'")
                return connection.sql(text).to_arrow_table()

        return answer

    return prepare


def _rows(task: Task, view: str) -> str:
    """A view's rows, each with the moment from which it answers, and none that never does."""
    files = f"'{task.folder}/{view}/*.parquet'"
    if not task.workload.late:
        return f"(select *, ts as known from {files})"
    keys = ", ".join(task.workload.join_keys)
    return f"""(
        select * from (
            select *, greatest(ts, known_at) as known, max(ts) over (
                partition by {keys} order by greatest(ts, known_at)
                rows between unbounded preceding and 1 preceding
            ) as newest from {files}
        ) where newest is null or ts >= newest
    )"""


def _value(task: Task, view: str, name: str) -> str:
    if task.workload.ttl_days is None:
        return f"{view}.{name}"
    ttl = task.workload.ttl_days * DAY_US
    return f"if(epoch_us(s.ts) - epoch_us({view}.ts) <= {ttl}, {view}.{name}, null) as {name}"


def _lengths() -> list[tuple[str, str, str]]:
    """Each window feature's name, function and length."""
    return [
        (f"amount_{function}_{length}", function, length)
        for length in LENGTHS
        for function in FUNCTIONS
    ]


def _windows() -> list[tuple[str, str, int]]:
    return [(name, function, LENGTHS[length]) for name, function, length in _lengths()]


def _difference(name: str, function: str, length: str) -> str:
    if function in ("min", "max"):
        return f"x.{name}"
    count = f"(coalesce(now.n, 0) - coalesce(w{length}.n, 0))"
    total = f"(now.total - coalesce(w{length}.total, 0))"
    return {
        "count": f"{count} as {name}",
        "sum": f"if({count} > 0, {total}, null) as {name}",
        "mean": f"if({count} > 0, {total} / {count}, null) as {name}",
    }[function]


if __name__ == "__main__":
    queries = {
        "asof": asof,
        "range-join": range_join,
        "running-sums": running_sums,
        "frames": frames,
    }
    run({"scan": scan, **{name: way(query) for name, query in queries.items()}})
