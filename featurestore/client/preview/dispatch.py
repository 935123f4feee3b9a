"""Previews: features of a definition that need not be applied, whichever kind of view it is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import TYPE_CHECKING

import pyarrow as pa

from featurestore.client.frame.frame import FeatureFrame
from featurestore.client.on_demand import node_of, without_function
from featurestore.client.retrieve import append_columns
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.references import manifest_of
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.rules import check
from featurestore.engines.on_demand.compute import Function, compute
from featurestore.engines.on_demand.inputs import bind_request_inputs
from featurestore.engines.on_demand.sql_rules import sql_issues
from featurestore.errors import DefinitionError, RequestError, SpineError, nearest
from featurestore.optional import spark_extra
from featurestore.query.nodes import OnDemand, Query
from featurestore.store.layout import Layout

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Surroundings:
    """Where a view's source is, and what reads it.

    Args:
        layout: Where sources, and the tables of other views, lie.
        spark: Gives the session; called for views alone.
    """

    layout: Layout
    spark: "Callable[[], SparkSession]"


@singledispatch
def preview(
    view: object, rows: pa.Table, around: Surroundings, timezone: str | None
) -> FeatureFrame:
    """Return rows with the features of a definition that need not be applied.

    Args:
        view: A view, or an on-demand view.
        rows: A view's keys and moments; an on-demand view's inputs under their names.
        around: Where a view's source is.
        timezone: The zone of times that have none.

    Raises:
        DefinitionError: An on-demand view breaks rules; every problem is listed.
        RequestError: It is no view.
        SpineError: The rows lack something, or hold another type.

    Example:
        >>> from featurestore.definitions.model.source import RequestSource
        >>> from featurestore.definitions.model.types import Field, Int64
        >>> order = RequestSource("order", schema=(Field("price", Int64), Field("pieces", Int64)))
        >>> total = OnDemandFeatureView("total", sources=(order,), schema=(Field("sum", Int64),),
        ...                             transform={"sum": "price * pieces"})
        >>> rows = pa.table({"price": [3], "pieces": [2],
        ...                  "event_timestamp": ["2026-03-01T12:00:00Z"]})
        >>> preview(total, rows, None, None).to_arrow()["sum"].to_pylist()
        [6]
    """
    raise RequestError(
        "preview",
        f"it is a {type(view).__name__}",
        "Give the definition of one view, or of one on-demand view.",
    )


@preview.register
def _(
    view: FeatureView, rows: pa.Table, around: Surroundings, timezone: str | None
) -> FeatureFrame:
    with spark_extra("preview"):
        # Only here, so that on-demand views are previewed without pyspark.
        from featurestore.client.preview.view import preview_view  # noqa: PLC0415 - see above
    return preview_view(view, rows, around.layout, around.spark(), timezone=timezone)


@preview.register
def _(
    view: OnDemandFeatureView, rows: pa.Table, around: Surroundings, timezone: str | None
) -> FeatureFrame:
    call = f"preview({view.name!r})"
    node, function = _checked(view, call)
    sources = _brought_by(view)
    _require_inputs(call, node, sources, rows)
    # The rows bring every input, as the request does with request values.
    brought = tuple(
        replace(each, column=each.name, source=sources.get(each.name, "")) for each in node.inputs
    )
    query = Query(call, (), on_demand=(replace(node, inputs=brought),))
    [inputs] = bind_request_inputs(query, rows, timezone=timezone)
    return FeatureFrame(append_columns(rows, compute(node, inputs, function)), view.feature_names)


def _checked(view: OnDemandFeatureView, call: str) -> tuple[OnDemand, Function | None]:
    bare, function = without_function(view)
    issues = check(manifest_of([bare]), (sql_issues,))
    if issues:
        told = "".join(f"\n  {issue}" for issue in issues)
        raise DefinitionError(call, f"the definition breaks rules:{told}", "\nCorrect it first.")
    return node_of(bare), function


def _brought_by(view: OnDemandFeatureView) -> dict[str, str]:
    """Return by input the source that brings it: a view's name or a request source's."""
    features = {u.prefix + name: u.view.name for u in view.uses for name in u.feature_names}
    return features | {each.name: s.name for s in view.requests for each in s.schema}


def _require_inputs(call: str, node: OnDemand, sources: Mapping[str, str], rows: pa.Table) -> None:
    names = [each.name for each in node.inputs]
    missing = [name for name in names if name not in rows.column_names]
    if not missing:
        return
    spare = [name for name in rows.column_names if name not in names]
    listed = ", ".join(
        f"{name!r} (of {sources[name]!r})" if name in sources else f"{name!r} (the row's moment)"
        for name in missing
    )
    near = dict.fromkeys(nearest(name, spare) for name in missing) if spare else ()
    raise SpineError(
        call,
        f"the rows lack inputs of on-demand view {node.view!r}: {listed}",
        " ".join([*near, "Give each input, features too, under its name in each row."]),
    )
