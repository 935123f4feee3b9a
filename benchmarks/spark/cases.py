"""The cases on Spark: our two engines, the ways of others, doubled sizes and a hot key."""

from dataclasses import dataclass

from benchmarks.cases import Case, Rival
from benchmarks.contest import Way

OURS = "featurestore"
# Java's memory of our sessions; other programs have 6 GB.
_HEAP = ("--memory-limit", "2g")
_FLAT, _DOUBLED, _SKEWED = 1.2, 2.2, 2.0


@dataclass(frozen=True)
class SparkCase(Case):
    """A case on Spark.

    Args:
        flat_to: The way whose peak memory of executors ours is compared with. None for no such
            comparison.
        flat: The largest accepted ratio of both peaks.
    """

    flat_to: Way | None = None
    flat: float = _FLAT

    @property
    def ways(self) -> tuple[Way, ...]:
        """All ways that are run, ours first."""
        return super().ways if self.flat_to is None else (*super().ways, self.flat_to)


def _scan(workload: str = "plain", spine: str = "spine") -> Way:
    options = (*_HEAP, "--measures", "--spine", spine)
    return Way(OURS, "spark_ours scan", workload, options, repeats=4)


def _shuffle(workload: str = "plain", spine: str = "spine") -> Way:
    options = (*_HEAP, "--measures", "--spine", spine)
    return Way(OURS, "spark_ours shuffle", workload, options, repeats=3)


def _local(workload: str = "plain", spine: str = "spine") -> Way:
    return Way("our local engine", "ours historical", workload, ("--spine", spine), repeats=5)


UNION = Way("Spark: union and one window", "spark_union union", repeats=3)
TEMPO = Way("dbl-tempo asofJoin", "tempo_frames asof", repeats=2)
DAFT = Way("Daft join_asof", "daft_frames asof", repeats=3)
FEAST = Way(
    "Feast, Spark store", "feast_spark asof", options=("--spine", "spine_a_fifth"), repeats=2
)


def _against_plain(name: str, title: str, ours: Way, limit: float, *, flat: bool) -> SparkCase:
    """Return a case that is compared with the plain case of the same engine."""
    plain = (_scan if ours.program == _scan().program else _shuffle)()
    once = Rival((_named(plain, "the plain case"),), limit, same=False)
    spine = ours.options[-1]
    check = _local(ours.workload, spine)
    return SparkCase(name, title, ours, (once,), checks=(check,), flat_to=plain if flat else None)


def _named(way: Way, name: str) -> Way:
    return Way(name, way.program, way.workload, way.options, way.repeats)


def _of_engine(engine: str) -> tuple[SparkCase, ...]:
    way = {"scan": _scan, "shuffle": _shuffle}[engine]
    doubled = (
        ("twice_the_rows", "4,000,000 rows a view", way("twice_the_rows")),
        ("twice_the_views", "10 views", way("twice_the_views")),
        ("twice_the_spine", "1,000,000 spine rows", way(spine="spine_twice")),
    )
    skewed = (
        ("hot_spine", "half of the spine has one key", way(spine="spine_hot")),
        ("hot_rows", "half of each view has one key", way("hot_key", "spine_uniform")),
    )
    return (
        *(
            _against_plain(f"{engine}_{name}", f"{engine}, {title}", ours, _DOUBLED, flat=True)
            for name, title, ours in doubled
        ),
        *(
            _against_plain(f"{engine}_{name}", f"{engine}, {title}", ours, _SKEWED, flat=False)
            for name, title, ours in skewed
        ),
    )


_PLAIN = "500,000 rows, 5 views"
_SCAN = SparkCase(
    "scan",
    f"scan, {_PLAIN}",
    _scan(),
    (
        Rival((UNION,), 0.15),
        Rival((TEMPO,), 0.1),
        Rival((_local(),), 3.0),
        Rival((DAFT,)),
    ),
)
_FEAST = SparkCase(
    "scan_a_fifth",
    "scan, 100,000 rows, 5 views",
    _scan(spine="spine_a_fifth"),
    (Rival((FEAST,), 0.05),),
    checks=(_local(spine="spine_a_fifth"),),
)
_SHUFFLE = SparkCase(
    "shuffle", f"shuffle, {_PLAIN}", _shuffle(), (Rival((UNION,), 0.8),), checks=(_local(),)
)
SPARK_CASES = {
    case.name: case
    for case in (_SCAN, _FEAST, _SHUFFLE, *_of_engine("scan"), *_of_engine("shuffle"))
}
