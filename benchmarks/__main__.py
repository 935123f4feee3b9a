"""Run the benchmarks, print their tables, and keep them with the machine in ``results/``."""

import argparse
import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import startup
from benchmarks.build import build
from benchmarks.workload import WORKLOADS
from featurestore.cli.output import print_table, say

HERE = Path(__file__).parent
BENCHMARKS = {"startup": startup.measure}
PACKAGES = ("pyarrow", "numpy", "deltalake", "pyspark", "duckdb", "polars")


def main() -> None:
    """Measure what was asked for, all by default; or only build the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(BENCHMARKS)}; all without any")
    parser.add_argument("--data", type=Path, default=HERE / "data")
    parser.add_argument(
        "--build",
        action="store_true",
        help=f"only build tables; names are then of {', '.join(WORKLOADS)}",
    )
    parser.add_argument("--scale", type=float, default=1, help="of the tables' rows")
    args = parser.parse_args()
    data = args.data.resolve()
    data.mkdir(parents=True, exist_ok=True)
    if args.build:
        for name in args.names or WORKLOADS:
            say("building {} ...", name)
            build(WORKLOADS[name].scaled(args.scale), data)
        return
    for name in args.names or BENCHMARKS:
        say("measuring {} ...", name)
        rows = BENCHMARKS[name](data)
        print_table(list(rows[0]), [list(row.values()) for row in rows], title=name)
        document = {
            "measured_at": datetime.now(UTC).isoformat(),
            "machine": machine(),
            "rows": rows,
        }
        (HERE / "results" / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n")


def machine() -> dict[str, object]:
    """Return what the figures depend on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": {name: version(name) for name in PACKAGES},
    }


if __name__ == "__main__":
    main()
