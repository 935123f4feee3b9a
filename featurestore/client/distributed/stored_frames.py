"""The stored rows of views as Spark reads them: from pinned tables, or computed from sources."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.errors.mapping import spark_errors
from featurestore.engines.spark.session.child import own_session
from featurestore.engines.spark.transform.stored_rows import unmatched
from featurestore.engines.spark.write.checks import ViewInput, preview_rows
from featurestore.errors import FeatureStoreError, NotFoundError, TableError
from featurestore.jobs.materialize.start import loaded_view
from featurestore.jobs.materialize.upstream import upstream_of
from featurestore.store.delta.snapshot import Snapshot
from featurestore.store.layout import Layout

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class Definitions:
    """The definitions from which the rows of views without a table are computed.

    Args:
        layout: The addresses of their sources.
        applied: The applied definitions.
        loaded: Returns the definitions of the project's folder, whose transforms can run.
    """

    layout: Layout
    applied: Manifest
    loaded: Callable[[], Manifest]


def pinned_frames(
    spark: "SparkSession", snapshots: Mapping[str, Snapshot], call: str
) -> "dict[str, DataFrame]":
    """Return the rows of pinned tables, as Spark reads them.

    Args:
        spark: The session.
        snapshots: The tables, by view.
        call: The user's call, for messages.

    Raises:
        FeatureStoreError: Spark cannot read a table.
    """
    reader = spark.read.format("delta")
    with spark_errors(call, TableError):
        return {
            view: reader.option("versionAsOf", each.version).load(each.uri)
            for view, each in snapshots.items()
        }


def computed_frames(
    spark: "SparkSession", definitions: Definitions, views: Sequence[str], call: str
) -> "dict[str, DataFrame]":
    """Return the rows that the tables of views would have, computed from their present sources.

    Args:
        spark: The session that runs the transforms.
        definitions: The definitions of the views.
        views: The names of views without a table.
        call: The user's call, for messages.

    Raises:
        TableError: A view can only be answered from a table.
        RequestError: The definition of a view in the folder is not the applied one.
        FeatureStoreError: The source is missing, or the transform fails.
    """
    if not views:
        return {}
    loaded = definitions.loaded()
    # Rows of two sessions of Spark Connect, which clones sessions, cannot be in one DataFrame.
    ours = spark if hasattr(spark, "cloneSession") else own_session(spark)
    frames = {}
    for name in views:
        view = definitions.applied.view(name)
        if view is None:
            raise NotFoundError(call, f"view {name!r} is not applied", "Run `featurestore apply`.")
        _require_computable(view, call)
        view = loaded_view(loaded, view, call)
        try:
            upstream = upstream_of(view, definitions.layout)
        except FeatureStoreError as error:
            raise TableError(
                call,
                f"view {name!r} has no table, and its rows cannot be computed: {error.found}",
                error.fix,
            ) from None
        rows = preview_rows(ViewInput(view, upstream.source, upstream.uri), ours)
        frames[name] = rows.where(~unmatched(view))
    return frames


def _require_computable(view: FeatureView, call: str) -> None:
    """Check that the rows of a view follow from its present source alone.

    Raises:
        TableError: They depend on its runs, or a run leaves out bad rows.
    """
    if view.snapshot:
        reason = "it is a snapshot view, and its rows depend on the times of its runs"
    elif view.expectations is not None:
        reason = "it has expectations, and only a run leaves out the rows that fail them"
    else:
        return
    raise TableError(
        call,
        f"view {view.name!r} has no table, and its rows cannot be computed from its source: "
        f"{reason}",
        f"Run `featurestore materialize {view.name}`.",
    )
