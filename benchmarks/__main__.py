"""Run the benchmarks, print their tables, and keep them with the machine in ``results/``."""

import argparse
import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import point_in_time, startup
from featurestore.cli.output import print_table, say

HERE = Path(__file__).parent
BENCHMARKS = {"startup": startup.measure, "point_in_time": point_in_time.measure}
PACKAGES = ("pyarrow", "numpy", "deltalake", "pyspark", "duckdb", "polars")


def main() -> None:
    """Measure what was asked for, all by default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(BENCHMARKS)}; all without any")
    parser.add_argument("--data", type=Path, default=HERE / "data")
    args = parser.parse_args()
    args.data.mkdir(parents=True, exist_ok=True)
    for name in args.names or BENCHMARKS:
        say("measuring {} ...", name)
        rows = BENCHMARKS[name](args.data.resolve())
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
