"""The ways of all cases are run, each once, and rows of a table are made of their results."""

from collections.abc import Callable
from dataclasses import asdict

from benchmarks.contest import ContestError, Result, Way, require_same
from benchmarks.environments import NotInstalledError
from benchmarks.measure import Row, of_rival, summary
from benchmarks.spark.cases import SparkCase

Failure = NotInstalledError | ContestError


class Runs:
    """The results of ways. A way that several cases have is run once, and its failure is kept.

    Args:
        run_way: Runs a way.
    """

    def __init__(self, run_way: Callable[[Way], Result]) -> None:
        self._run_way = run_way
        self._done: dict[tuple[object, ...], Result | Failure] = {}

    def result(self, way: Way) -> Result:
        """Return the result of a way.

        Raises:
            NotInstalledError: Its environment cannot be created.
            ContestError: It failed.
        """
        # The same work has different names in the tables of two cases.
        work = (way.program, way.workload, way.options, way.repeats)
        if work not in self._done:
            self._done[work] = self._outcome(way)
        done = self._done[work]
        if isinstance(done, Result):
            return Result(way, done.seconds, done.answer, done.peak_bytes, done.measured)
        raise done

    def _outcome(self, way: Way) -> Result | Failure:
        try:
            return self._run_way(way)
        except (NotInstalledError, ContestError) as error:
            return error


def measure(case: SparkCase, runs: Runs) -> dict[str, object]:
    """Return the rows of a case and what was measured of its ways, as plain data.

    Raises:
        ContestError: Our own way failed, or answers differ.
    """
    ours = runs.result(case.ours)
    for way in case.checks:
        require_same(ours, runs.result(way))
    rows = [of_rival(case, rival, ours, runs.result) for rival in case.rivals]
    if case.flat_to is not None:
        rows.append(_of_memory(case, ours, runs.result(case.flat_to)))
    done = [ours, *(each for way in case.ways[1:] if (each := _result(runs, way)))]
    return {
        "rows": [asdict(row) for row in rows],
        "ways": [summary(each) | {"measured": dict(each.measured)} for each in done],
    }


def _of_memory(case: SparkCase, ours: Result, plain: Result) -> Row:
    peaks = [(each.peak_bytes or 0) / 1e9 for each in (ours, plain)]
    against = "peak memory of executors in the plain case"
    return Row(case.title, against, peaks[0], "GB", theirs=peaks[1], limit=case.flat)


def _result(runs: Runs, way: Way) -> Result | None:
    try:
        return runs.result(way)
    except (NotInstalledError, ContestError):
        return None
