"""Results on disk, one file for each benchmark, and the table of the results."""

import json
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.cases import CASES
from benchmarks.environments import REQUIREMENTS
from benchmarks.measure import Row

FOLDER = Path(__file__).parent / "results"
PACKAGES = ("pyarrow", "numpy", "deltalake", "pyspark", "duckdb", "polars")
HEAD = ("case", "ours", "compared with", "theirs", "ratio", "target", "met")

Document = Mapping[str, Any]


def save(name: str, measured: Document) -> None:
    """Write a benchmark's results, with the machine and the time."""
    document = {"measured_at": datetime.now(UTC).isoformat("T", "seconds"), "machine": machine()}
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps({**document, **measured}, indent=1) + "\n")


def read_results(name: str) -> Document | None:
    """Return a benchmark's newest results. None if there are none."""
    file = FOLDER / f"{name}.json"
    return json.loads(file.read_text()) if file.exists() else None


def read_cases() -> dict[str, Document]:
    """Return the newest results of each case that has some, in the order of the cases."""
    documents = {name: read_results(name) for name in CASES}
    return {name: document for name, document in documents.items() if document is not None}


def rows_of(document: Document) -> list[Row]:
    """Return the table's rows of one case."""
    return [Row(**row) for row in document["rows"]]


def machine() -> dict[str, object]:
    """Return the properties of the machine on which the figures depend."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": {name: version(name) for name in PACKAGES},
        "feast": REQUIREMENTS["feast_store"][0],
    }


def cells(row: Row) -> tuple[str, ...]:
    """Return the texts of a row, in the order of `HEAD`."""
    ratio = "" if row.ratio is None else f"{row.ratio:.2g}"
    unit = f" {row.unit}" if row.is_absolute else ""
    target = "" if row.limit is None else f"≤ {row.limit:g}{unit}"
    met = {True: "yes", False: "no", None: "" if row.limit is None else "?"}[row.met]
    theirs = row.note if row.theirs is None else figure(row.theirs, row.unit)
    return (row.case, figure(row.ours, row.unit), row.against, theirs, ratio, target, met)


def figure(value: float, unit: str) -> str:
    """Return a figure with three digits and its unit."""
    return f"{value:.3g} {unit}"
