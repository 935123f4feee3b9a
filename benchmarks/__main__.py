"""Run the benchmarks: tables, results with their machine, docs/benchmarks.md and its chart."""

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks import page, startup
from benchmarks.build import build
from benchmarks.cases import CASES, Case
from benchmarks.contest import ContestError, Result
from benchmarks.measure import Row, measure
from benchmarks.results import HEAD, cells, keep, rows_of
from benchmarks.workload import WORKLOADS, is_written
from featurestore.cli.output import print_table, say

HERE = Path(__file__).parent
STARTUP = "startup"
NAMES = (*CASES, STARTUP)


def main() -> int:
    """Measure what was asked for, all by default; return 1 where a case failed."""
    args = arguments()
    data = args.data.resolve()
    data.mkdir(parents=True, exist_ok=True)
    names = args.names or NAMES
    if args.build:
        build_tables(names, data, args.scale)
        return 0
    cases = [CASES[name] for name in names if name in CASES]
    build_apart(cases, data, args.scale)
    keeping = args.scale == 1  # other sizes are for trying out
    rows: list[Row] = []
    failed = 0
    for case in cases:
        try:
            rows += run_case(case, data, args.scale, keeping=keeping)
        except ContestError as error:
            failed = 1
            say("{} failed: {}", case.name, error)
    if STARTUP in names:
        run_startup(data, keeping=keeping)
    if rows:
        print_table(list(HEAD), [cells(row) for row in rows], title="benchmarks")
    return failed


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    # argparse holds no names at all against the choices, too.
    choices = [[], *NAMES]
    told = f"of {', '.join(NAMES)}; all without any"
    parser.add_argument("names", nargs="*", choices=choices, metavar="case", help=told)
    parser.add_argument("--data", type=Path, default=HERE / "data", help="kept between runs")
    parser.add_argument("--build", action="store_true", help="only build the cases' tables")
    parser.add_argument("--scale", type=float, default=1, help="times the rows, to try it out")
    return parser.parse_args()


def build_tables(names: tuple[str, ...], data: Path, scale: float) -> None:
    """Build the tables of the named cases, those that are not there yet."""
    ways = [way for name in names if name in CASES for way in CASES[name].ways]
    for name in dict.fromkeys(way.workload for way in ways):
        say("building {} ...", name)
        build(WORKLOADS[name].scaled(scale), data)


def build_apart(cases: list[Case], data: Path, scale: float) -> None:
    """Build in another process, so that no JVM stays beside what is measured."""
    workloads = [WORKLOADS[way.workload].scaled(scale) for case in cases for way in case.ways]
    if not all(is_written(workload, data / workload.name) for workload in workloads):
        names = [case.name for case in cases]
        options = ["--build", "--data", str(data), "--scale", str(scale)]
        subprocess.run([sys.executable, "-m", "benchmarks", *names, *options], check=True)


def run_case(case: Case, data: Path, scale: float, *, keeping: bool) -> list[Row]:
    """Measure one case and keep its results."""
    say("{}: {}", case.name, case.title)

    def folder(workload: str) -> Path:
        return data / WORKLOADS[workload].scaled(scale).name

    measured = measure(case, folder, data, tell)
    if keeping:
        keep(case.name, measured)
        page.write()
    return rows_of(measured)


def run_startup(data: Path, *, keeping: bool) -> None:
    """Measure how long one waits before anything happens."""
    say("startup")
    rows = startup.measure(data)
    print_table(list(rows[0]), [list(row.values()) for row in rows], title=STARTUP)
    if keeping:
        keep(STARTUP, {"rows": rows})
        page.write()


def tell(result: Result) -> None:
    """Say what one way took."""
    say("  {}: {} s", result.way.name, f"{result.best:.3f}")


if __name__ == "__main__":
    sys.exit(main())
