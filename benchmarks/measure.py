"""A case is measured: its ways are run, their answers compared, and rows of a table made."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from benchmarks.cases import Case, Measure, Rival
from benchmarks.contest import ContestError, Result, Way, joined, require_same, run
from benchmarks.environments import NotInstalledError

TURNS = 8
"""The number of turns of each way: a short disturbance of the machine spoils one turn only."""

SLOW_S, TURNS_OF_SLOW = 1.0, 2
"""Ways that take at least this many seconds have fewer turns: for them a disturbance is small."""


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Args:
        case: The case's title.
        against: The program that we are compared with, or the name of our figure.
        ours: Our figure.
        unit: The unit of both figures.
        theirs: The other program's figure. None if there is none.
        limit: The greatest accepted ratio, or the greatest accepted figure if there is no other
            program. None if there is no target.
        note: Why there is no figure of the other program.
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
        """Our figure divided by the other program's figure."""
        return None if self.theirs is None else self.ours / self.theirs

    @property
    def share(self) -> float | None:
        """The used share of the target. It is met up to 1. None without a target."""
        value = self.ours if self.is_absolute else self.ratio
        return None if value is None or self.limit is None else value / self.limit

    @property
    def met(self) -> bool | None:
        """Whether the target is met. None without a target or a figure."""
        return None if self.share is None else self.share <= 1

    @property
    def is_absolute(self) -> bool:
        """Whether our figure is compared with a number, not with another program."""
        return self.theirs is None and (self.unit != "s" or not self.note)


def measure(
    case: Case, folders: Callable[[str], Path], data: Path, report: Callable[[Result], None]
) -> dict[str, object]:
    """Run a case and return its rows and the times of its ways as plain data.

    Args:
        case: The case.
        folders: Returns the folder of a workload by its name.
        data: The folder of the contestants' environments.
        report: Called with each result.

    Raises:
        ContestError: Our own way failed, or answers differ.
    """
    results, failures = _in_turns(case.ways, folders, data, report)

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
        "ways": [summary(each) for each in results.values()],
    }


def _in_turns(
    ways: tuple[Way, ...],
    folders: Callable[[str], Path],
    data: Path,
    report: Callable[[Result], None],
) -> tuple[dict[Way, Result], dict[Way, NotInstalledError | ContestError]]:
    """Run the ways by turns. A way that failed has no more turns."""
    results: dict[Way, Result] = {}
    failures: dict[Way, NotInstalledError | ContestError] = {}
    for turn in range(TURNS):
        for way in ways:
            if way in failures or turn >= _turns(way, results.get(way)):
                continue
            try:
                result = run(way, folders(way.workload), data)
                results[way] = joined(results[way], result) if way in results else result
                report(result)
            except (NotInstalledError, ContestError) as error:
                failures[way] = error
    return results, failures


def _turns(way: Way, result: Result | None) -> int:
    if way.repeats is not None:
        return 1
    return TURNS_OF_SLOW if result is not None and result.best >= SLOW_S else TURNS


def of_rival(case: Case, rival: Rival, ours: Result, result: Callable[[Way], Result]) -> Row:
    """Return the row that compares us with a rival's fastest way, or says why it did not run."""
    results, failures = [], []
    for way in rival.ways:
        try:
            results.append(result(way))
        except (NotInstalledError, ContestError) as error:
            failures.append(str(error))
    if rival.same:
        for other in results:
            require_same(ours, other)
    if not results:
        name, note = rival.ways[0].name, f"did not run: {failures[0]}"
        return Row(case.title, name, ours.best, limit=rival.limit, note=note)
    best = min(results, key=lambda other: other.best)
    return Row(case.title, best.way.name, ours.best, theirs=best.best, limit=rival.limit)


def of_measure(case: Case, figure: Measure, ours: Result) -> Row:
    """Return the row of a figure of our own."""
    return Row(case.title, figure.name, figure.of(ours), figure.unit, limit=figure.limit)


def summary(result: Result) -> dict[str, object]:
    """Return the times of a way and its peak memory as plain data."""
    peak = result.peak_bytes
    return {
        "way": result.way.name,
        "program": " ".join([result.way.program, *result.way.options]),
        "workload": result.way.workload,
        "calls": len(result.seconds),
        "first_s": round(result.seconds[0], 4),
        "median_s": round(median(result.seconds), 4),
        "best_s": round(result.best, 4),
        "peak_mb": peak and round(peak / 1e6),
    }
