"""The cases: a query, the programs to compare with, and the target."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from benchmarks.contest import Result, Way


@dataclass(frozen=True)
class Rival:
    """A program to compare with.

    Args:
        ways: Its ways to answer the query; the fastest one counts.
        limit: The largest accepted ratio of our seconds to its seconds; None without a target.
        same: Whether its answers must equal ours; False if its query is another one.
    """

    ways: tuple[Way, ...]
    limit: float | None = None
    same: bool = True


@dataclass(frozen=True)
class Measure:
    """A figure of our own, such as a peak of memory, without a program to compare with.

    Args:
        name: Its name in the table.
        unit: Its unit.
        of: Returns the figure of our result.
        limit: The largest accepted value; None without a target.
    """

    name: str
    unit: str
    of: Callable[[Result], float]
    limit: float | None = None


@dataclass(frozen=True)
class Case:
    """One query and its comparisons.

    Args:
        name: Its name on the command line.
        title: Its name in the table.
        ours: Our way to answer it.
        rivals: The programs to compare with.
        measures: Figures of our own, instead of seconds.
        checks: Ways that are run only to check our answer.
    """

    name: str
    title: str
    ours: Way
    rivals: tuple[Rival, ...] = ()
    measures: tuple[Measure, ...] = ()
    checks: tuple[Way, ...] = ()

    @property
    def ways(self) -> tuple[Way, ...]:
        """All ways that are run, ours first."""
        rivals = (way for rival in self.rivals for way in rival.ways)
        return tuple(dict.fromkeys((self.ours, *self.checks, *rivals)))


OURS, ASOF, SCAN = "ours historical", "duckdb_sql asof", "duckdb_sql scan"
FLOOR = "reading every needed column once"
FEW, ONE = ("--spine", "spine_1000"), ("--spine", "spine_one", "--service", "first")


def _ours(workload: str = "plain", *options: str, name: str = "featurestore") -> Way:
    return Way(name, OURS, workload, options)


def _duckdb(workload: str, *options: str) -> Rival:
    return Rival((Way("DuckDB ASOF", ASOF, workload, options),))


def _scan(limit: float, workload: str = "plain") -> Rival:
    return Rival((Way(FLOOR, SCAN, workload),), limit, same=False)


def _queries(workload: str) -> tuple[Way, ...]:
    return (
        Way("DuckDB range join", "duckdb_sql range-join", workload),
        Way("DuckDB running sums", "duckdb_sql running-sums", workload),
        Way("DuckDB RANGE frames", "duckdb_sql frames", workload, repeats=1),
    )


def _as_of(workload: str, limit: float | None = None) -> tuple[Rival, ...]:
    """Return as-of joins over the rows of the windows: of whole rows, and of one value."""
    whole = _ours(workload, "--service", "asof", name="as-of of the same rows")
    single = _ours(workload, "--service", "amount", name="as-of of one of their values")
    return Rival((whole,), limit, same=False), Rival((single,), same=False)


def _variant(name: str, title: str, limit: float, *, same: bool) -> Case:
    """Return the plain case with other rows, compared with the plain case itself."""
    plain = Rival((_ours(name="the plain case"),), limit, same=same)
    return Case(name, title, _ours(name), (plain, _duckdb(name)))


EVENTS, DENSE, BIG = "windows_20_a_key", "windows_2000_a_key", "hundred_million"
_AS_OF = Case(
    "as_of",
    "500,000 rows, 5 views",
    _ours(),
    (
        Rival((Way("DuckDB ASOF", ASOF),), 1.0),
        _scan(5.0),
        Rival((Way("Feast, DuckDB store", "feast_store asof"),), 1 / 8),
        Rival((Way("Polars join_asof", "polars_frames asof"),)),
    ),
)
_WIDE = Case(
    "wide",
    "10,000 rows, 100 views of 20 features",
    _ours("wide"),
    (
        _scan(2.0, "wide"),
        Rival((Way("DuckDB ASOF, a query a view", "duckdb_sql asof-apart", "wide"),)),
    ),
)
_THOUSAND = Case(
    "thousand_keys",
    "1,000 of 100,000 keys, 5 views",
    _ours("plain", *FEW),
    (_scan(1.0), _duckdb("plain", *FEW)),
)
_ONE = Case(
    "one_key",
    "1 key of one compacted view",
    Way("featurestore", "ours one-by-one", options=(*ONE, "--collect"), repeats=200),
    measures=(
        Measure("one of 200 calls, median", "ms", lambda it: 1000 * median(it.seconds), 15.0),
        Measure("a process's first call", "ms", lambda it: 1000 * it.seconds[0]),
    ),
    checks=(Way("DuckDB ASOF", ASOF, options=ONE, repeats=1),),
)
_WINDOWS = Case(
    EVENTS,
    "4 windows, 5 functions, 20 events a key",
    _ours(EVENTS),
    (
        Rival(_queries(EVENTS), 0.5),
        *_as_of(EVENTS),
    ),
)
_DENSE = Case(
    DENSE,
    "4 windows, 5 functions, 2,000 events a key",
    _ours(DENSE),
    (
        *_as_of(DENSE, 2.0),
        Rival((Way("DuckDB ASOF of the same rows", ASOF, DENSE),), same=False),
        Rival((_queries(DENSE)[-1],)),
    ),
)
_LENGTH = Case(
    "window_length",
    "30 days alone, 2,000 events a key",
    _ours(DENSE, "--service", "month"),
    # Equal, but for the difference between two runs.
    (Rival((_ours(DENSE, "--service", "hour", name="1 hour alone"),), 1.2, same=False),),
    checks=(_ours(DENSE, name="all windows"),),
)
_BIG = Case(
    BIG,
    "100,000,000 stored rows, memory_limit 2GB",
    Way("featurestore", OURS, BIG, ("--memory-limit", "2GB"), repeats=1),
    measures=(
        Measure("peak of resident memory", "GB", lambda it: (it.peak_bytes or 0) / 1e9, 3.0),
        Measure("time of 1,000,000 answers", "s", lambda it: it.best),
    ),
    checks=(Way("arithmetic", "ours arithmetic", BIG, repeats=1),),
)
CASES = {
    case.name: case
    for case in (
        _AS_OF,
        _WIDE,
        _THOUSAND,
        _ONE,
        _variant("string_keys", "string keys", 1.7, same=True),
        _variant("two_part_keys", "two-part keys", 1.7, same=True),
        _variant("late_and_ttl", "5% late rows and a ttl", 1.7, same=False),
        _variant("hot_key", "one key holds half of all rows", 1.5, same=False),
        _WINDOWS,
        _DENSE,
        _LENGTH,
        _BIG,
    )
}
