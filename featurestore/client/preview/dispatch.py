"""Previews of views and of on-demand views, which need not be applied."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo
from functools import singledispatch
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from featurestore.client.frame.frame import FeatureFrame, append_columns
from featurestore.client.on_demand import (
    inputs_from_rows,
    node_of,
    sources_of_inputs,
    split_function,
)
from featurestore.client.spines.read import read_rows
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.references import manifest_of
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.rules import check
from featurestore.engines.on_demand.compute import Function, compute
from featurestore.engines.on_demand.inputs import bind_request_inputs
from featurestore.engines.on_demand.sql_rules import sql_issues
from featurestore.errors import DefinitionError, NotFoundError, RequestError, SpineError, nearest
from featurestore.optional import spark_extra
from featurestore.query.compile import compile_view
from featurestore.query.nodes import OnDemand, Query
from featurestore.query.requirements import spine_types
from featurestore.store.layout import Layout

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Project:
    """The project in which a view is previewed.

    Args:
        layout: The addresses of sources and tables.
        spark: Returns the Spark session. It is called for views only, not for on-demand views.
    """

    layout: Layout
    spark: "Callable[[], SparkSession]"


@singledispatch
def preview(
    view: object, rows: Any, project: Project, timezone: str | tzinfo | None
) -> FeatureFrame:
    """Return rows with the features of a definition, which need not be applied.

    Args:
        view: A view, or an on-demand view.
        rows: For a view its keys and moments. For an on-demand view its inputs, by their names.
            Any frame, a list of dicts, or a path.
        project: The addresses of sources and tables, and the Spark session.
        timezone: The zone of times without one.

    Raises:
        DefinitionError: An on-demand view breaks rules. Every problem is listed.
        RequestError: ``view`` is no view.
        SpineError: A column is missing or has another type than declared.

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
        f"the definition is a {type(view).__name__}",
        "Pass one FeatureView or one OnDemandFeatureView.",
    )


def declared_view(manifest: Manifest, name: str) -> FeatureView | OnDemandFeatureView:
    """Return the declared view of a name.

    Args:
        manifest: The definitions in the project's folder.
        name: The view's name.

    Raises:
        NotFoundError: There is none.
    """
    view = manifest.view(name) or manifest.on_demand_view(name)
    if view is None:
        names = [each.name for each in manifest.views]
        names += [each.name for each in manifest.on_demand_views]
        raise NotFoundError(
            f"preview({name!r})", f"no view {name!r} is declared", nearest(name, names)
        )
    return view


@preview.register
def _(
    view: FeatureView, rows: Any, project: Project, timezone: str | tzinfo | None
) -> FeatureFrame:
    with spark_extra("preview"):
        # Imported here, because on-demand views are previewed without pyspark.
        from featurestore.client.preview.view import preview_view  # noqa: PLC0415 - see above
    spine = read_rows(rows, spine_types(Query("preview", (compile_view(view),))))
    frame = preview_view(view, spine.table, project.layout, project.spark(), timezone=timezone)
    return replace(frame, _pandas=spine.pandas)


@preview.register
def _(
    view: OnDemandFeatureView, rows: Any, project: Project, timezone: str | tzinfo | None
) -> FeatureFrame:
    call = f"preview({view.name!r})"
    node, function = _checked(view, call)
    sources = sources_of_inputs(view)
    spine = read_rows(rows, {each.name: each.dtype for each in node.inputs})
    table = spine.table
    _require_inputs(call, node, sources, table)
    query = Query(call, (), on_demand=(inputs_from_rows(view, node),))
    [inputs] = bind_request_inputs(query, table, timezone=timezone)
    answers = append_columns(table, compute(node, inputs, function))
    return FeatureFrame(answers, view.feature_names, _pandas=spine.pandas)


def _checked(view: OnDemandFeatureView, call: str) -> tuple[OnDemand, Function | None]:
    definition, function = split_function(view)
    issues = check(manifest_of([definition]), (sql_issues,))
    if issues:
        listed = "".join(f"\n  {issue}" for issue in issues)
        raise DefinitionError(call, f"the definition breaks rules:{listed}", "\nCorrect it first.")
    return node_of(definition), function


def _require_inputs(call: str, node: OnDemand, sources: Mapping[str, str], rows: pa.Table) -> None:
    names = [each.name for each in node.inputs]
    missing = [name for name in names if name not in rows.column_names]
    if not missing:
        return
    others = [name for name in rows.column_names if name not in names]
    listed = ", ".join(
        f"{name!r} (of {sources[name]!r})" if name in sources else f"{name!r} (the row's moment)"
        for name in missing
    )
    near = dict.fromkeys(nearest(name, others) for name in missing) if others else ()
    raise SpineError(
        call,
        f"the rows lack inputs of on-demand view {node.view!r}: {listed}",
        " ".join([*near, "Add a column for each input. Stored features are inputs too."]),
    )
