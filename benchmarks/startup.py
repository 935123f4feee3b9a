"""The times of imports, of short commands, and of Spark's start and first write."""

import os
import resource
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import featurestore as fs
from featurestore.cli.template import write_project
from featurestore.engines.spark.session.jars import CACHE_VARIABLE, cache_folder

REPEATS, STARTS = 10, 5
PYTHON = sys.executable
PROGRAM = str(Path(PYTHON).with_name("featurestore"))

# Python may write compiled modules, which is its default.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

TWENTY_VIEWS = """
import featurestore as fs

card = fs.Entity("card", join_keys=(fs.Field("card_id", fs.String),))
payments = fs.DeltaSource("payments", path="payments", timestamp_field="at")
views = [
    fs.FeatureView(
        f"view_{number}",
        entities=(card,),
        source=payments,
        schema=(fs.Field("amount", fs.Float64),),
        latest=False,
    )
    for number in range(20)
]
"""

# With the settings of a project of `init`, and in the session that writes tables. At the end it
# waits for Java, so that the process time has Java's.
FIRST_WRITE = """
import time, pathlib
start = time.perf_counter()
from featurestore.engines.spark.session.child import own_session
from featurestore.engines.spark.session.session import release, session
user = type("User", (), {{}})()
conf, folder = pathlib.Path({conf!r}), pathlib.Path({folder!r})
spark = own_session(session(conf, warehouse=folder, user=user))
up = time.perf_counter()
spark.range(1000).write.format("delta").save(str(folder / "first"))
print(up - start, time.perf_counter() - up)
release(user)
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
    rows += _nothing_new(folder)
    for name, environment in _caches(folder).items():
        starts = [_spark(folder, project, environment) for _ in range(STARTS)]
        up, write, process = map(statistics.median, zip(*starts, strict=True))
        rows += [
            _row(f"first Spark session, {name}", up),
            _row(f"first Delta write after it, {name}", write),
            _row(f"process time of both, {name}", process),
        ]
    return rows


def _nothing_new(folder: Path) -> list[dict[str, object]]:
    """Return the time of `materialize` of 20 views without news, as wall and as process time."""
    project = folder / "twenty"
    if not project.exists():
        (project / "feature_defs").mkdir(parents=True)
        (project / "featurestore.toml").write_text('project = "twenty"\n')
        (project / "feature_defs" / "views.py").write_text(TWENTY_VIEWS)
        with fs.FeatureStore(project) as store:
            row = {"card_id": "c1", "amount": 1.5, "at": datetime(2026, 1, 1, tzinfo=UTC)}
            store.write_source("payments", [row])
            store.apply(store.plan())
            store.materialize()
    command = [PROGRAM, "materialize", "-p", str(project)]
    before = _process_time()
    wall = _median(command)
    process = _process_time() - before
    return [
        _row("featurestore materialize, 20 views without news", wall),
        _row("the same, process time", process / REPEATS),
    ]


def _process_time() -> float:
    """Return the CPU time of all processes that have ended and were waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _caches(folder: Path) -> dict[str, dict[str, str]]:
    """Return the variables of sessions with the class-data archive, and without it."""
    subprocess.run([PROGRAM, "setup"], check=True, capture_output=True, env=ENVIRONMENT)
    bare = folder / "cache_without_archive"
    bare.mkdir(exist_ok=True)
    if not (bare / "jars").exists():
        (bare / "jars").symlink_to(cache_folder().resolve() / "jars")
    return {
        "without the class-data archive": ENVIRONMENT | {CACHE_VARIABLE: str(bare)},
        "with it": ENVIRONMENT,
    }


def _median(command: list[str]) -> float:
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def _spark(folder: Path, project: Path, environment: dict[str, str]) -> tuple[float, ...]:
    """Return the times of a session and of its first write, and the process time of both."""
    before = _process_time()
    with TemporaryDirectory(dir=folder) as temporary:
        conf = str(project / "spark-conf" / "local.conf")
        code = FIRST_WRITE.format(folder=temporary, conf=conf)
        done = subprocess.run(
            [PYTHON, "-c", code], check=True, capture_output=True, text=True, env=environment
        )
    up, write = map(float, done.stdout.split())
    return up, write, _process_time() - before


def _row(name: str, seconds: float, pyarrow: float | None = None) -> dict[str, object]:
    ratio = None if pyarrow is None else round(seconds / pyarrow, 2)
    return {"start": name, "seconds": round(seconds, 3), "x import pyarrow": ratio}
