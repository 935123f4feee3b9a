"""The times of imports, of short commands, and of Spark's start and first write."""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import featurestore as fs
from featurestore.cli.template import write_project

REPEATS = 10
PYTHON = sys.executable
PROGRAM = str(Path(PYTHON).with_name("featurestore"))

# Python may write compiled modules, which is its default.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

FIRST_WRITE = """
import time, pathlib
start = time.perf_counter()
from featurestore.engines.spark.session.session import session
spark = session(warehouse=pathlib.Path({folder!r}))
up = time.perf_counter()
spark.range(1000).write.format("delta").save({folder!r} + "/first")
print(up - start, time.perf_counter() - up)
"""


def measure(folder: Path) -> list[dict[str, object]]:
    """Return a row for each start: the median time, and for imports the ratio to pyarrow's."""
    project = folder / "shop"
    if not project.exists():
        write_project(project)
        store = fs.FeatureStore(project)
        store.apply(store.plan())
    bare = _median([PYTHON, "-c", "pass"])
    pyarrow = _median([PYTHON, "-c", "import pyarrow"])
    rows = [
        _row("python -c pass", bare),
        _row("import pyarrow", pyarrow),
        _row("import featurestore", _median([PYTHON, "-c", "import featurestore"]), pyarrow),
        _row(
            "from featurestore import FeatureStore",
            _median([PYTHON, "-c", "from featurestore import FeatureStore"]),
            pyarrow,
        ),
        _row("featurestore --help", _median([PROGRAM, "--help"])),
        _row("featurestore status", _median([PROGRAM, "status", "-p", str(project)])),
    ]
    up, write = _spark(folder)
    return [*rows, _row("first Spark session", up), _row("first Delta write after it", write)]


def _median(command: list[str]) -> float:
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def _spark(folder: Path) -> tuple[float, float]:
    with TemporaryDirectory(dir=folder) as temporary:
        code = FIRST_WRITE.format(folder=temporary)
        done = subprocess.run([PYTHON, "-c", code], check=True, capture_output=True, text=True)
    up, write = done.stdout.split()
    return float(up), float(write)


def _row(name: str, seconds: float, pyarrow: float | None = None) -> dict[str, object]:
    ratio = None if pyarrow is None else round(seconds / pyarrow, 2)
    return {"start": name, "seconds": round(seconds, 3), "x import pyarrow": ratio}
