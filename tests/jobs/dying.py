"""Views that all come to a moment of their own, whereupon their process is killed.

`python -m tests.jobs.dying FOLDER SIGNAL '{"view": ["moment", 1], ...}'`: each view is brought up
to date until it is at its moment for that many times, and stays there until the last one is.
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
from featurestore.jobs.materialize.materialize import materialize
from featurestore.jobs.materialize.record import RunLog
from tests.jobs.changing import LAST, at
from tests.jobs.world import World, other

Deaths = Mapping[str, tuple[str, int]]
"""Of each view: its moment, and which time it dies there."""

MOMENTS = {
    (batch.write_batch.__code__, "call"): "begins a batch",
    (batch._commit.__code__, "call"): "commits",
    (batch._commit.__code__, "return"): "has committed",
    (run._read_source.__code__, "return"): "has read all",
    (RunLog.end.__code__, "call"): "records its end",
}
"""Between two batches; before its rows are in; before Spark, then the ledger knows of them."""


def banded(rows: DataFrame) -> DataFrame:
    """A transform under which an order's change is one of its key too."""
    band = F.when(F.col("amount") < 10, "low").otherwise("high")
    return rows.where("amount < 60").withColumn("band", band)


BAND = Entity("band", join_keys=(Field("band", String),))
BANDS = other(LAST, name="bands", source=LAST, entities=(BAND,), transform=banded)
TWINS = (LAST, BANDS)
"""Those that nobody kills."""

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
    """A project of the twins and those that are killed."""
    views = [*TWINS, *LASTS, *BANDED]
    return World(folder, spark, views=views, now=at(100))


def main(folder: str, signal: str, deaths: str) -> None:
    """Bring the twins up to date, then all others to their deaths."""
    threading.setprofile(_watch(json.loads(deaths), int(signal)))
    conf = Path(__file__).parents[2] / "spark-conf" / "test.conf"
    world = dying_world(Path(folder), session(conf, warehouse=Path(folder) / "spark"))
    world.files_per_batch = 1
    materialize(world.job, [view.name for view in TWINS])
    # A view that is made of one that dies is asked for with it.
    asked = [
        [name, *(view.name for view in BANDED if view.source.name == name)]
        for name in json.loads(deaths)
    ]
    with ThreadPoolExecutor(len(asked)) as pool:
        for survived in as_completed(pool.submit(materialize, world.job, each) for each in asked):
            sys.stderr.write(f"missed its moment: {survived.result()}\n")
            os._exit(1)


def _watch(deaths: Deaths, signal: int) -> Callable[[FrameType, str, object], None]:
    last = threading.Barrier(len(deaths), action=partial(os.kill, os.getpid(), signal))
    times: Counter[tuple[str, str]] = Counter()

    def watch(frame: FrameType, event: str, _: object) -> None:
        moment = MOMENTS.get((frame.f_code, event))
        if moment is None:
            return
        scope = frame.f_locals
        subject = scope.get("view") or scope.get("run", scope.get("self")).view
        times[subject.name, moment] += 1
        if deaths.get(subject.name) == [moment, times[subject.name, moment]]:
            last.wait()

    return watch


if __name__ == "__main__":
    main(*sys.argv[1:])
