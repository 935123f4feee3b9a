"""DuckDB over plain Parquet: the floor, ASOF joins, and three queries for windows."""

from collections.abc import Callable

import duckdb
import pyarrow as pa

from benchmarks.contestants.task import Task, Way, run
from benchmarks.workload import DAY_US, HOURS

HOUR_US = 3_600_000_000
LENGTHS = {length: hours * HOUR_US for length, hours in HOURS.items()}
LONGEST = max(LENGTHS.values())
FUNCTIONS = ("count", "sum", "min", "max")  # a mean is their quotient, which is faster


def scan(task: Task) -> str:
    """Return the floor: each needed column of each view is read once and summed."""
    return " union all ".join(
        f"select max(id), max(epoch_us(ts)), {', '.join(f'sum({name})' for name in names)} "
        f"from '{task.folder}/{view}/*.parquet'"
        for view, names in task.views.items()
    )


def asof(task: Task) -> str:
    """Return one query with an ASOF join for each view."""
    columns = [_value(task, view, name) for view, names in task.views.items() for name in names]
    joins = [_join(task, view) for view in task.views]
    return f"select s.*, {', '.join(columns)} from '{task.spine_file}' s {' '.join(joins)}"


def asof_apart(task: Task) -> Callable[[], pa.Table]:
    """Return a query for each view: a hundred joins in one query need many gigabytes."""
    queries = [
        f"select s.row, {', '.join(_value(task, view, name) for name in names)} "
        f"from '{task.spine_file}' s {_join(task, view)} order by s.row"
        for view, names in task.views.items()
    ]

    def answer() -> pa.Table:
        columns: dict[str, pa.ChunkedArray] = {}
        with duckdb.connect() as connection:
            for query in queries:
                table = connection.sql(query).to_arrow_table()
                columns |= dict(zip(table.column_names, table.columns, strict=True))
        return pa.table(columns)

    return answer


def range_join(task: Task) -> str:
    """Return a range join with the events of the longest window, filtered for the others."""
    return _with_means(f"""
        select s.row, {_filtered(FUNCTIONS)} from {_spine(task)} s left join {_events(task)} e
        on s.id = e.id and e.t < s.t and e.t >= s.t - {LONGEST} group by s.row
    """)


def running_sums(task: Task) -> str:
    """Return counts and sums by running sums at both edges, minimum and maximum by range join."""
    edges = {"now": 0, **{f"w{length}": micros for length, micros in LENGTHS.items()}}
    joins = " ".join(
        f"asof left join running {edge} on s.id = {edge}.id and s.t - {micros} > {edge}.t"
        for edge, micros in edges.items()
    )
    return _with_means(f"""
        with running as (
            select id, t, count(*) over w as n, sum(amount) over w as total
            from {_events(task)} window w as (partition by id order by t rows unbounded preceding)
        ), extremes as (
            select s.row, {_filtered(("min", "max"))} from {_spine(task)} s
            join {_events(task)} e
            on s.id = e.id and e.t < s.t and e.t >= s.t - {LONGEST} group by s.row
        )
        select s.row, {_differences()}, x.* exclude (row) from {_spine(task)} s {joins}
        left join extremes x on x.row = s.row
    """)


def frames(task: Task) -> str:
    """Return RANGE frames over spine and events, which end a microsecond before each row."""
    columns = ", ".join(
        f"{function}(amount) over w{length} as amount_{function}_{length}"
        for length in LENGTHS
        for function in FUNCTIONS
    )
    windows = ", ".join(
        f"w{length} as (partition by id order by t "
        f"range between {micros} preceding and 1 preceding)"
        for length, micros in LENGTHS.items()
    )
    return _with_means(f"""
        with rows as (
            select id, t, amount, null as row from {_events(task)}
            union all select id, t, null, row from {_spine(task)}
        ), answers as (select row, {columns} from rows window {windows})
        select * from answers where row is not null
    """)


def way(query: Callable[[Task], str]) -> Way:
    """Return the way that runs a query in a new database."""

    def prepare(task: Task) -> Callable[[], pa.Table]:
        text = query(task)

        def answer() -> pa.Table:
            with duckdb.connect() as connection:
                connection.execute("set timezone = 'UTC'")
                return connection.sql(text).to_arrow_table()

        return answer

    return prepare


def _join(task: Task, view: str) -> str:
    keys = " and ".join(f"s.{key} = {view}.{key}" for key in task.workload.join_keys)
    return f"asof left join {_rows(task, view)} {view} on {keys} and s.ts >= {view}.visible_from"


def _rows(task: Task, view: str) -> str:
    """Return the rows of a view that can be an answer, with the time from which they can."""
    files = f"'{task.folder}/{view}/*.parquet'"
    if not task.workload.late:
        return f"(select *, ts as visible_from from {files})"
    keys = ", ".join(task.workload.join_keys)
    return f"""(
        select * from (
            select *, greatest(ts, known_at) as visible_from, max(ts) over (
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


def _spine(task: Task) -> str:
    # Times as integers: a timestamp with a zone minus an interval uses the calendar and is slow.
    return f"(select *, epoch_us(ts) as t from '{task.spine_file}')"


def _events(task: Task) -> str:
    return f"(select id, epoch_us(ts) as t, amount from '{task.folder}/events/*.parquet')"


def _filtered(functions: tuple[str, ...]) -> str:
    """Return each function of each window, as filters of the rows of the longest window."""
    return ", ".join(
        f"{function}(amount)"
        + (f" filter (where e.t >= s.t - {micros})" if micros < LONGEST else "")
        + f" as amount_{function}_{length}"
        for length, micros in LENGTHS.items()
        for function in functions
    )


def _differences() -> str:
    """Return the counts and sums of the rows between the edges of each window."""
    columns = []
    for length in LENGTHS:
        count = f"(coalesce(now.n, 0) - coalesce(w{length}.n, 0))"
        total = f"(now.total - coalesce(w{length}.total, 0))"
        columns.append(f"{count} as amount_count_{length}")
        columns.append(f"if({count} > 0, {total}, null) as amount_sum_{length}")
    return ", ".join(columns)


def _with_means(query: str) -> str:
    means = [f"amount_sum_{each} / amount_count_{each} as amount_mean_{each}" for each in LENGTHS]
    return f"select *, {', '.join(means)} from ({query})"


if __name__ == "__main__":
    queries = {
        "scan": scan,
        "asof": asof,
        "range-join": range_join,
        "running-sums": running_sums,
        "frames": frames,
    }
    run({"asof-apart": asof_apart, **{name: way(query) for name, query in queries.items()}})
