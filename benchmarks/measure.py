"""One case measured: its ways run, their answers compared, and told as rows of a table."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from benchmarks.cases import Case, Measure, Rival
from benchmarks.contest import ContestError, Result, Way, joined, require_same, run
from benchmarks.environments import NotInstalledError

TURNS = 8
"""How often each way has its turn: what disturbs the machine for some seconds counts for none."""

SLOW_S, TURNS_OF_SLOW = 1.0, 2
"""Who takes so many seconds has fewer turns: a disturbance is a small part of them."""


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Args:
        case: The case's title.
        against: Whom we are held against, or what the figure is.
        ours: Our figure.
        unit: Of both figures.
        theirs: The other's figure; None without one.
        limit: Of the ratio, or of our figure where there is no other; None for no target.
        note: Why there is no figure.
    """

    case: str
    against: str
    ours: float
    unit: str = "s"
    theirs: float | None = None
    limit: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Our figure in parts of the other's."""
        return None if self.theirs is None else self.ours / self.theirs

    @property
    def share(self) -> float | None:
        """How much of the target is used up: 1 meets it just so; None without one."""
        held = self.ours if self.is_absolute else self.ratio
        return None if held is None or self.limit is None else held / self.limit

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one, or without a figure."""
        return None if self.share is None else self.share <= 1

    @property
    def is_absolute(self) -> bool:
        """Whether the figure is held against a number, not against anybody."""
        return self.unit != "s" or (self.theirs is None and not self.note)


def measure(
    case: Case, folders: Callable[[str], Path], data: Path, tell: Callable[[Result], None]
) -> dict[str, object]:
    """Run a case and return its rows, and what each way took, as plain data.

    Args:
        case: The case.
        folders: Gives the folder of a workload by its name.
        data: Where environments are kept.
        tell: Is told of each result.

    Raises:
        ContestError: We failed, or answers differ.
    """
    results, failures = _in_turns(case.ways, folders, data, tell)

    def result(way: Way) -> Result:
        if way in failures:
            raise failures[way]
        return results[way]

    ours = result(case.ours)
    for way in case.checks:
        require_same(ours, result(way))
    rows = [of_rival(case, rival, ours, result) for rival in case.rivals]
    rows += [of_measure(case, figure, ours) for figure in case.measures]
    return {
        "rows": [asdict(row) for row in rows],
        "ways": [_told(found) for found in results.values()],
    }


def _in_turns(
    ways: tuple[Way, ...],
    folders: Callable[[str], Path],
    data: Path,
    tell: Callable[[Result], None],
) -> tuple[dict[Way, Result], dict[Way, NotInstalledError | ContestError]]:
    """Run each way as often as it has a turn, one after the other; who failed has no more."""
    results: dict[Way, Result] = {}
    failures: dict[Way, NotInstalledError | ContestError] = {}
    for turn in range(TURNS):
        for way in ways:
            if way in failures or turn >= _turns(way, results.get(way)):
                continue
            try:
                found = run(way, folders(way.workload), data)
                results[way] = joined(results[way], found) if way in results else found
                tell(found)
            except (NotInstalledError, ContestError) as error:
                failures[way] = error
    return results, failures


def _turns(way: Way, so_far: Result | None) -> int:
    if way.repeats is not None:
        return 1
    return TURNS_OF_SLOW if so_far is not None and so_far.best >= SLOW_S else TURNS


def of_rival(case: Case, rival: Rival, ours: Result, result: Callable[[Way], Result]) -> Row:
    """Return our row beside a rival's fastest way; one that cannot run is told so."""
    found, failures = [], []
    for way in rival.ways:
        try:
            found.append(result(way))
        except (NotInstalledError, ContestError) as error:
            failures.append(str(error))
    if rival.same:
        for other in found:
            require_same(ours, other)
    if not found:
        name, note = rival.ways[0].name, f"did not run: {failures[0]}"
        return Row(case.title, name, ours.best, limit=rival.limit, note=note)
    best = min(found, key=lambda other: other.best)
    return Row(case.title, best.way.name, ours.best, theirs=best.best, limit=rival.limit)


def of_measure(case: Case, figure: Measure, ours: Result) -> Row:
    """Return a figure of our own."""
    return Row(case.title, figure.name, figure.of(ours), figure.unit, limit=figure.limit)


def _told(found: Result) -> dict[str, object]:
    peak = found.peak_bytes
    return {
        "way": found.way.name,
        "program": " ".join([found.way.program, *found.way.options]),
        "workload": found.way.workload,
        "calls": len(found.seconds),
        "first_s": round(found.seconds[0], 4),
        "median_s": round(median(found.seconds), 4),
        "best_s": round(found.best, 4),
        "peak_mb": peak and round(peak / 1e6),
    }
