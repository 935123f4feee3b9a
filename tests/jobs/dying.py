"""Views that are killed together, each at a point of its own.

`python -m tests.jobs.dying FOLDER SIGNAL '{"view": ["point", 1], ...}'`: each view is materialized
until it reaches its point for the first (or second) time. There it waits. Once the last view
waits, the process gets the signal.
"""

import json
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from types import FrameType

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.types import Field, String
from featurestore.engines.spark.session.session import session
from featurestore.engines.spark.write import batch
from featurestore.jobs.materialize import run
from featurestore.jobs.materialize.record import RunLog
from featurestore.jobs.materialize.start import materialize
from tests.jobs.changing import LAST, at
from tests.jobs.world import World, other

Deaths = Mapping[str, tuple[str, int]]
"""The point of each view, and how often it passes there before it dies."""

POINTS = {
    (batch.write_batch.__code__, "call"): "begins a batch",
    (batch.commit_rows.__code__, "call"): "commits",
    (batch.commit_rows.__code__, "return"): "has committed",
    (run._read_source.__code__, "return"): "has read all rows",
    (RunLog.end.__code__, "call"): "records its end",
}
"""Before a batch; before and after its commit; before the stream and the ledger record it."""


def banded(rows: DataFrame) -> DataFrame:
    """A transform that makes the key of an order's amount, so that a change may move the order."""
    band = F.when(F.col("amount") < 10, "low").otherwise("high")
    return rows.where("amount < 60").withColumn("band", band)


BAND = Entity("band", join_keys=(Field("band", String),))
BANDS = other(LAST, name="bands", source=LAST, entities=(BAND,), transform=banded)
TWINS = (LAST, BANDS)
"""The views that are not killed; the others must have the same rows in the end."""

CHOSEN = "SELECT order_id, card_id, at, amount FROM {source}"
LASTS = (
    other(LAST, name="last_1", transform=CHOSEN),
    other(LAST, name="last_2", latest=True),
)
BANDED = (
    other(BANDS, name="bands_1"),
    other(BANDS, name="bands_2", source=LASTS[1]),
)


def dying_world(folder: Path, spark: SparkSession) -> World:
    """A project of the twins and the views that are killed."""
    views = [*TWINS, *LASTS, *BANDED]
    return World(folder, spark, views=views, now=at(100))


def main(folder: str, signal: str, deaths: str) -> None:
    """Materialize the views until they are killed."""
    threading.setprofile(_watch(json.loads(deaths), int(signal)))
    conf = Path(__file__).parents[2] / "spark-conf" / "test.conf"
    world = dying_world(Path(folder), session(conf, warehouse=Path(folder) / "spark"))
    world.files_per_batch = 1
    # A derived view is materialized in one call with its upstream view.
    calls = [
        [name, *(view.name for view in BANDED if view.source.name == name)]
        for name in json.loads(deaths)
    ]
    with ThreadPoolExecutor(len(calls)) as pool:
        for survived in as_completed(
            pool.submit(materialize, world.job, names) for names in calls
        ):
            sys.stderr.write(f"did not reach its point: {survived.result()}\n")
            os._exit(1)


def _watch(deaths: Deaths, signal: int) -> Callable[[FrameType, str, object], None]:
    last = threading.Barrier(len(deaths), action=partial(os.kill, os.getpid(), signal))
    times: Counter[tuple[str, str]] = Counter()

    def watch(frame: FrameType, event: str, _: object) -> None:
        point = POINTS.get((frame.f_code, event))
        if point is None:
            return
        scope = frame.f_locals
        subject = scope.get("view") or scope.get("run", scope.get("self")).view
        times[subject.name, point] += 1
        if deaths.get(subject.name) == [point, times[subject.name, point]]:
            last.wait()

    return watch


if __name__ == "__main__":
    main(*sys.argv[1:])
