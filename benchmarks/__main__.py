"""Run the benchmarks, print and save their results, and write docs/benchmarks.md."""

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks import expectations, freshness, maintenance, page, profiles, size, startup
from benchmarks.build import build
from benchmarks.cases import CASES, Case
from benchmarks.contest import ContestError, Result
from benchmarks.measure import Row, measure
from benchmarks.results import HEAD, cells, rows_of, save
from benchmarks.workload import WORKLOADS, is_written
from featurestore.cli.output import print_table, say

HERE = Path(__file__).parent
# What has no peers: each function returns rows with columns of its own.
OWN = {
    "startup": startup.measure,
    "maintenance": maintenance.measure,
    "expectations": expectations.measure,
    "profiles": profiles.measure,
    "freshness": freshness.measure,
}
NAMES = (*CASES, *OWN)


def main() -> int:
    """Measure the named cases, or all cases. Return 1 if a case failed."""
    if sys.argv[1:2] == ["size"]:  # which has a number of rows, and takes long
        return size.main(sys.argv[2:])
    args = arguments()
    data = args.data.resolve()
    data.mkdir(parents=True, exist_ok=True)
    names = args.names or NAMES
    if args.build:
        build_tables(names, data, args.scale)
        return 0
    cases = [CASES[name] for name in names if name in CASES]
    build_in_subprocess(cases, data, args.scale)
    saves = args.scale == 1  # other sizes are for development only
    rows: list[Row] = []
    failed = 0
    for case in cases:
        try:
            rows += run_case(case, data, args.scale, saves=saves)
        except ContestError as error:
            failed = 1
            say("{} failed: {}", case.name, error)
    for name in OWN:
        if name in names:
            run_own(name, data, saves=saves)
    if rows:
        print_table(list(HEAD), [cells(row) for row in rows], title="benchmarks")
    return failed


def arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    # argparse compares an empty list of names with the choices too.
    choices = [[], *NAMES]
    cases = f"one of {', '.join(NAMES)}; without a case, all of them"
    parser.add_argument("names", nargs="*", choices=choices, metavar="case", help=cases)
    parser.add_argument("--data", type=Path, default=HERE / "data", help="folder of the tables")
    parser.add_argument("--build", action="store_true", help="only build the cases' tables")
    parser.add_argument("--scale", type=float, default=1, help="factor of the number of rows")
    return parser.parse_args()


def build_tables(names: tuple[str, ...], data: Path, scale: float) -> None:
    """Build the tables of the named cases that do not exist yet."""
    ways = [way for name in names if name in CASES for way in CASES[name].ways]
    for name in dict.fromkeys(way.workload for way in ways):
        say("building {} ...", name)
        build(WORKLOADS[name].scaled(scale), data)


def build_in_subprocess(cases: list[Case], data: Path, scale: float) -> None:
    """Build the tables in another process, so that no JVM runs during the measurements."""
    workloads = [WORKLOADS[way.workload].scaled(scale) for case in cases for way in case.ways]
    if not all(is_written(workload, data / workload.name) for workload in workloads):
        names = [case.name for case in cases]
        options = ["--build", "--data", str(data), "--scale", str(scale)]
        subprocess.run([sys.executable, "-m", "benchmarks", *names, *options], check=True)


def run_case(case: Case, data: Path, scale: float, *, saves: bool) -> list[Row]:
    """Measure one case and return its rows. With ``saves``, save them and write the page."""
    say("{}: {}", case.name, case.title)

    def folder(workload: str) -> Path:
        return data / WORKLOADS[workload].scaled(scale).name

    measured = measure(case, folder, data, print_result)
    if saves:
        save(case.name, measured)
        page.write()
    return rows_of(measured)


def run_own(name: str, data: Path, *, saves: bool) -> None:
    """Measure what has no peers, such as the times of imports and of Spark's start."""
    say("{}", name)
    rows = OWN[name](data)
    print_table(list(rows[0]), [list(row.values()) for row in rows], title=name)
    if saves:
        save(name, {"rows": rows})
        page.write()


def print_result(result: Result) -> None:
    """Print the best time of one way."""
    say("  {}: {} s", result.way.name, f"{result.best:.3f}")


if __name__ == "__main__":
    sys.exit(main())
