"""Sampled stored rows of views, recomputed from their sources at once.

A transform that looks at other rows gives other values in increments than at once. The plan check
finds most of them; this check finds the rest, and rows that a source changed after they were read.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from featurestore.client.verify.report import CheckedSource, SourceDifference, Verification
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.retrieve.recompute import Sample, compare_rows
from featurestore.engines.spark.session.child import own_session
from featurestore.engines.spark.transform.change_feed import is_feed
from featurestore.engines.spark.write.checks import ViewInput, preview_rows
from featurestore.jobs.materialize.job import Job
from featurestore.jobs.materialize.start import loaded_view
from featurestore.jobs.materialize.upstream import upstream_of
from featurestore.store.current import CurrentTables, NoTable
from featurestore.store.delta.log import latest_version
from featurestore.store.ledger.tables import Tables
from featurestore.times import from_micros, to_micros

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class SourceCheck:
    """What to recompute.

    Args:
        views: The names of stored views.
        sample: The number of keys to compare for each view.
        seed: Selects the keys.
    """

    views: Sequence[str]
    sample: int
    seed: int


def with_sources(job: Job, result: Verification, sample: int, seed: int) -> Verification:
    """Return a result of `verify` with the comparison of its stored views with their sources.

    Args:
        job: The project.
        result: The result without it.
        sample: The number of keys to compare for each view.
        seed: Selects the keys.
    """
    views = dict.fromkeys(view.view for view in result.views if view.version is not None)
    sources = verify_sources(job, SourceCheck([*views], sample, seed))
    return replace(result, sources=sources)


def verify_sources(job: Job, check: SourceCheck) -> tuple[CheckedSource, ...]:
    """Return how sampled stored rows compare with the rows that the sources give at once.

    Args:
        job: The project.
        check: What to recompute.

    Raises:
        RequestError: A view's definition differs from the applied one.
        SourceError: A source is missing.
        MaterializationError: A transform fails.
    """
    applied, loaded = job.applied(), job.loaded()
    targets = [view for name in check.views if (view := applied.view(name)) is not None]
    views = [loaded_view(loaded, view, f"verify({view.name!r}, source=True)") for view in targets]
    spark = own_session(job.spark())
    return tuple(_checked(job, view, spark, check) for view in views)


def _checked(
    job: Job, view: FeatureView, spark: "SparkSession", check: SourceCheck
) -> CheckedSource:
    table = CurrentTables(job.layout, Tables(job.layout).records()).of(view)
    version = None if isinstance(table, NoTable) else latest_version(table.uri)
    if isinstance(table, NoTable) or version is None or table.state != "current":
        return CheckedSource(view.name, None, skipped="its table is not current: materialize it")
    if reason := _incomparable(view):
        return CheckedSource(view.name, version, skipped=reason)
    upstream = upstream_of(view, job.layout)
    fresh = preview_rows(ViewInput(view, upstream.source, upstream.uri), spark)
    sample = Sample(table.uri, version, check.sample, check.seed)
    rows, differing = compare_rows(view, fresh, sample)
    return CheckedSource(
        view.name,
        version,
        rows=rows,
        differences=tuple(
            SourceDifference(
                view.name,
                key=row.key,
                event_timestamp=from_micros(to_micros(row.event_timestamp)),
                stored=row.stored,
                recomputed=row.recomputed,
            )
            for row in differing
        ),
    )


def _incomparable(view: FeatureView) -> str:
    """Return why the present source of a view cannot give its stored rows; ``""`` if it can."""
    if view.snapshot:
        return "it is a snapshot view, and its source has the present rows only"
    if is_feed(view.source):
        return "its source is a change feed, whose present rows do not show its changes"
    return ""
