"""Views that fail at a fault point, each at its own, beside a view that never fails.

`python -m tests.jobs.faults FOLDER VIEW...` materializes the views side by side, in one process
that the environment arms. There is one view for each fault point and each kind of source.
"""

import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from featurestore.definitions.model.source import FileSource
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.session.session import session
from featurestore.errors import FeatureStoreError
from featurestore.jobs.materialize.job import RunResult
from featurestore.jobs.materialize.start import materialize
from featurestore.store.fault_points import RUN_POINTS, InjectedError
from featurestore.store.ledger.runs import Runs
from tests.jobs.world import SPENDING, Payment, World, other, payments_table

FILES = FileSource("payments_files", path="files", format="parquet", timestamp_field="at")
IN_BATCHES = (
    "source.pinned",
    "rows.computed",
    "quarantine.committed",
    "data.committed",
    "commit.verified",
)
BUILDS_ONLY = ("table.switched",)
WITH_LATEST = ("table.switched", "latest.published", "ledger.completed", "data.committed")
_SIDE_BY_SIDE = 4

Outcomes = Mapping[str, RunResult | Exception]
"""The result of each view, or what `materialize` raised."""


def view_of(point: str, kind: str) -> FeatureView:
    """The view that fails at a point."""
    name = f"{kind}_{point.replace('.', '_')}"
    source = FILES if kind == "files" else SPENDING.source
    return other(SPENDING, name=name, source=source, latest=point in WITH_LATEST)


DELTA = {point: view_of(point, "delta") for point in RUN_POINTS}
OF_FILES = {
    point: view_of(point, "files") for point in (*IN_BATCHES, "source.read", "files.recorded")
}
CALM = other(SPENDING, name="calm", latest=True)
"""The view that never fails."""


POINTS = {view.name: point for views in (DELTA, OF_FILES) for point, view in views.items()}
"""The fault point of each view."""


def faulty_world(folder: Path, spark: SparkSession) -> World:
    """A project of all these views, with one file or commit in each batch of a build."""
    views = [CALM, *DELTA.values(), *OF_FILES.values()]
    return World(folder, spark, views=views, files_per_batch=1)


def pay(world: World, *payments: Payment) -> None:
    """Append payments to the table and to the files."""
    world.pay(*payments)
    folder = world.folder / "files"
    folder.mkdir(exist_ok=True)
    pq.write_table(payments_table(payments), folder / f"{len(list(folder.iterdir()))}.parquet")


def armed(views: Iterable[str], action: str, *, in_build: bool) -> str:
    """The faults of views; a build fails in its second batch, so that the first is stored."""
    nth = {point: 2 for point in IN_BATCHES if in_build}
    return ",".join(f"{view}/{POINTS[view]}={action}@{nth.get(POINTS[view], 1)}" for view in views)


def run_each(world: World, views: Sequence[str], *, side_by_side: int = _SIDE_BY_SIDE) -> Outcomes:
    """Materialize each view by a call of its own, and return what each call returned or raised."""
    job = replace(world.job, compact_small_files=1)  # so that all runs join files

    def run(view: str) -> RunResult | Exception:
        try:
            (result,) = materialize(job, [view])
        except (FeatureStoreError, InjectedError) as error:
            return error
        return result

    with ThreadPoolExecutor(side_by_side) as pool:
        return dict(zip(views, pool.map(run, views), strict=True))


def totals(world: World, view: str) -> dict[str, object]:
    """What all runs of a view have done in sum, by the ledger."""
    sums: dict[str, int] = defaultdict(int)
    outcomes = [run.outcome for run in Runs(world.layout).records(view)]
    for name in ("rows_in", "rows_out", "null_rows"):
        sums[name] = sum(getattr(each, name) for each in outcomes)
    newest = [each.max_event_timestamp for each in outcomes if each.max_event_timestamp]
    return sums | {"newest": max(newest)}


def main(folder: str, *views: str) -> None:
    """Materialize the views until the process is killed."""
    conf = Path(__file__).parents[2] / "spark-conf" / "test.conf"
    world = faulty_world(Path(folder), session(conf, warehouse=Path(folder) / "spark"))
    run_each(world, views, side_by_side=len(views))


if __name__ == "__main__":
    main(*sys.argv[1:])
