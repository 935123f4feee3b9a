"""Features of a view computed directly from source rows. No table is written."""

from datetime import tzinfo
from typing import TYPE_CHECKING

import pyarrow as pa

from featurestore.client.frame.frame import FeatureFrame, append_columns
from featurestore.client.frame.view_read import ViewRead
from featurestore.client.retrieve import key_columns
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.bind import bind
from featurestore.engines.kernel import answer_view
from featurestore.engines.spark.retrieve.sample import rows_of_keys, stored_from_source_rows
from featurestore.engines.spark.session.child import own_session
from featurestore.engines.spark.write.checks import ViewInput, preview_rows
from featurestore.errors import SumOverflowError
from featurestore.jobs.materialize.upstream import upstream_of
from featurestore.query.compile import compile_view
from featurestore.query.nodes import Query
from featurestore.store.layout import Layout

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def preview_view(
    view: FeatureView,
    spine: pa.Table,
    layout: Layout,
    spark: "SparkSession",
    *,
    timezone: str | tzinfo | None = None,
) -> FeatureFrame:
    """Return the spine with the view's features. Only source rows with the spine's keys are used.

    Args:
        view: The definition, applied or not.
        spine: A few rows with the join keys and ``event_timestamp``.
        layout: The addresses of sources and tables.
        spark: The session that reads and transforms the source.
        timezone: The zone of times without one.
    """
    upstream = upstream_of(view, layout)
    view_input = ViewInput(view, upstream.source, upstream.uri)
    stored = preview_rows(view_input, own_session(spark))
    return _answer(view, spine, stored, timezone)


def features_of_rows(
    view: FeatureView, source_rows: pa.Table, spine: pa.Table, spark: "SparkSession"
) -> FeatureFrame:
    """Return the spine with the view's features, computed from these source rows.

    Args:
        view: The definition.
        source_rows: The source's rows.
        spine: Rows with the join keys and ``event_timestamp``.
        spark: The session that transforms the source rows.
    """
    stored = stored_from_source_rows(view, source_rows, own_session(spark))
    return _answer(view, spine, stored, None)


def _answer(
    view: FeatureView, spine: pa.Table, stored: "DataFrame", timezone: str | tzinfo | None
) -> FeatureFrame:
    query = compile_view(view)
    request = Query(f"preview({view.name!r})", (query,))
    bound = bind(request, spine, timezone=timezone)
    keys = bound.select([key.spine_column for key in query.keys])
    try:
        answers = answer_view(query, bound, rows_of_keys(view, stored, keys))
    except SumOverflowError as error:
        raise error.within(request.call, error.row) from None
    views = {name: ViewRead(keys) for name, keys in key_columns(request).items()}
    return FeatureFrame(append_columns(spine, answers), query.outputs, views=views)
