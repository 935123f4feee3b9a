"""Run the benchmarks of training sets on Spark, print and save their results, and write the page.

All cases are one run on two cores (local[2]). Nothing else should run meanwhile.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks import page
from benchmarks.build import build
from benchmarks.contest import ContestError, Result, Way, run
from benchmarks.measure import Row
from benchmarks.results import HEAD, cells, rows_of, save
from benchmarks.spark.cases import SPARK_CASES, SparkCase
from benchmarks.spark.measure import Runs, measure
from benchmarks.spark.workloads import SPARK_WORKLOADS, write_spine
from featurestore.cli.output import print_table, say

DATA = Path(__file__).parents[1] / "data"


def main() -> int:
    """Measure the named cases, or all cases. Return 1 if a case failed."""
    args = arguments()
    data = args.data.resolve()
    data.mkdir(parents=True, exist_ok=True)
    cases = [SPARK_CASES[name] for name in args.names or SPARK_CASES]
    if args.build:
        build_tables(cases, data, args.scale)
        return 0
    build_in_subprocess(cases, data, args)
    return run_cases(cases, data, args.scale)


def arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spark", description=__doc__)
    choices = [[], *SPARK_CASES]  # argparse compares an empty list of names with the choices too
    cases = f"one of {', '.join(SPARK_CASES)}; without a case, all of them"
    parser.add_argument("names", nargs="*", choices=choices, metavar="case", help=cases)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the tables")
    parser.add_argument("--build", action="store_true", help="only build the cases' tables")
    parser.add_argument("--scale", type=float, default=1, help="factor of the number of rows")
    return parser.parse_args()


def build_tables(cases: list[SparkCase], data: Path, scale: float) -> None:
    """Build the tables and the spines of the cases that do not exist yet."""
    for workload, spine in sorted({needed for case in cases for needed in _needed(case)}):
        scaled = SPARK_WORKLOADS[workload].scaled(scale)
        say("building {}, {} ...", scaled.name, spine)
        write_spine(spine, scaled, build(scaled, data))


def build_in_subprocess(cases: list[SparkCase], data: Path, args: argparse.Namespace) -> None:
    """Build the tables in another process, so that no JVM runs during the measurements."""
    names = [case.name for case in cases]
    options = ["--build", "--data", str(data), "--scale", str(args.scale)]
    subprocess.run([sys.executable, "-m", "benchmarks.spark", *names, *options], check=True)


def run_cases(cases: list[SparkCase], data: Path, scale: float) -> int:
    """Measure cases, and save their results and write the page if the tables have full size."""

    def run_way(way: Way) -> Result:
        result = run(way, data / SPARK_WORKLOADS[way.workload].scaled(scale).name, data)
        say("  {} ({}): {} s", way.name, way.program, f"{result.best:.3f}")
        return result

    runs, failed = Runs(run_way), 0
    rows: list[Row] = []
    for case in cases:
        say("{}: {}", case.name, case.title)
        try:
            measured = measure(case, runs)
        except ContestError as error:
            failed = 1
            say("{} failed: {}", case.name, error)
            continue
        rows += rows_of(measured)
        if scale == 1:  # other sizes are for development only
            save(f"spark_{case.name}", measured)
            page.write()
    if rows:
        print_table(list(HEAD), [cells(row) for row in rows], title="benchmarks on Spark")
    return failed


def _needed(case: SparkCase) -> list[tuple[str, str]]:
    """Return the workload and the spine of each way."""
    return [(way.workload, _spine(way)) for way in case.ways]


def _spine(way: Way) -> str:
    options = list(way.options)
    return options[options.index("--spine") + 1] if "--spine" in options else "spine"


if __name__ == "__main__":
    sys.exit(main())
