"""Compile a service, or references to features, to a `Query`."""

from collections.abc import Sequence

from featurestore.definitions.model.aggregation import ANY_ROW, Aggregation, output_type
from featurestore.definitions.model.functions import parse_function
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.on_demand import OnDemandReference
from featurestore.definitions.model.service import Use
from featurestore.definitions.model.source import StoredSource
from featurestore.definitions.model.types import DataType, Field
from featurestore.definitions.model.view import FeatureReference, FeatureView
from featurestore.definitions.model.window import Length, grid_of
from featurestore.definitions.reserved import EVENT_TIME
from featurestore.errors import RequestError, nearest
from featurestore.query.nodes import (
    Aggregate,
    Column,
    KeyBinding,
    OnDemand,
    Query,
    Rows,
    ViewQuery,
    Window,
)
from featurestore.query.on_demand import compile_on_demand, with_inputs
from featurestore.query.selection import Selection, selected_uses
from featurestore.times import LIFETIME, parse_duration


def compile_query(
    manifest: Manifest,
    features: Selection,
    *,
    call: str,
    timestamp_field: str = EVENT_TIME,
) -> Query:
    """Return the query for a service, or for references to features.

    Args:
        manifest: The applied definitions.
        features: Services, views, or references ``"view:feature"``: their names or the
            definitions.
        call: The user's call, for messages.
        timestamp_field: The spine's time column.

    Raises:
        NotFoundError: A service, view or feature is not applied.
        RequestError: There is no feature, or two features would have the same name.

    Example:
        >>> compile_query(Manifest(), [], call="nothing")
        Traceback (most recent call last):
        ...
        featurestore.errors.RequestError: nothing: it names no feature. Pass ...
    """
    references = selected_uses(manifest, features, call)
    if not any(use.feature_names for use in references):
        raise _no_features(manifest, call)
    _check_collisions(references, call)
    stored = [use for use in references if isinstance(use, FeatureReference)]
    views = [compile_reference(use, timestamp_field) for use in stored]
    nodes = []
    for use in references:
        if isinstance(use, OnDemandReference):
            views, node = _with_on_demand(use, views, timestamp_field)
            nodes.append(node)
    order = tuple(use.prefix + name for use in references for name in use.feature_names)
    return Query(call, tuple(views), timestamp_field, tuple(nodes), order if nodes else None)


def compile_view(view: FeatureView, timestamp_field: str = EVENT_TIME) -> ViewQuery:
    """Return the query for all features of a view; the spine columns have the names of its keys.

    Example:
        >>> from featurestore.definitions.model.source import DeltaSource
        >>> from featurestore.definitions.model.types import Float64
        >>> src = DeltaSource("s", path="p", timestamp_field="at")
        >>> view = FeatureView("v", entities=(), source=src, schema=(Field("x", Float64),))
        >>> compile_view(view).outputs
        ('x',)
    """
    return compile_reference(FeatureReference(view), timestamp_field)


def compile_reference(use: FeatureReference, timestamp_field: str) -> ViewQuery:
    """Return the query for one use of a view.

    Args:
        use: The use: a view with chosen features, renamed keys, prefix, strictness, time column.
        timestamp_field: The time column of a use that names none.

    Example:
        >>> from featurestore.definitions.model.source import DeltaSource
        >>> from featurestore.definitions.model.types import Float64
        >>> src = DeltaSource("s", path="p", timestamp_field="at")
        >>> view = FeatureView("v", entities=(), source=src, schema=(Field("x", Float64),))
        >>> compile_reference(view.with_prefix("a_"), "seen_at").outputs
        ('a_x',)
    """
    view, renamed = use.view, dict(use.join_keys)
    return ViewQuery(
        view.name,
        keys=tuple(
            KeyBinding(key.name, renamed.get(key.name, key.name), key.dtype)
            for key in view.join_keys
        ),
        timestamp_field=use.timestamp_field or timestamp_field,
        rows=_rows(view),
        columns=() if view.aggregations else _columns(use),
        aggregates=_aggregates(use),
        ttl=None if view.ttl is None else parse_duration(view.ttl),
        strict=use.strict,
        origin=str(view.origin),
    )


def _with_on_demand(
    use: OnDemandReference, views: Sequence[ViewQuery], timestamp_field: str
) -> tuple[list[ViewQuery], OnDemand]:
    """Return the uses of views, extended by the on-demand view's inputs, and its node."""
    extended = list(views)
    columns: dict[str, str] = {}
    types: dict[str, DataType] = {}
    for source in use.view.uses:
        inputs = compile_reference(source, timestamp_field)
        extended, columns_of_inputs = with_inputs(extended, inputs, use.view.name)
        columns.update(columns_of_inputs)
        types.update({feature.output: feature.result for feature in inputs.features})
    return extended, compile_on_demand(use, columns, types, timestamp_field)


def _no_features(manifest: Manifest, call: str) -> RequestError:
    names = [
        each.name
        for kind in (manifest.services, manifest.views, manifest.on_demand_views)
        for each in kind
    ]
    return RequestError(
        call,
        "it names no feature",
        f"Pass a service, or features such as ['view:feature']. {nearest('', names)}",
    )


def _check_collisions(uses: Sequence[Use], call: str) -> None:
    owner: dict[str, str] = {}
    for use in uses:
        for name in (use.prefix + feature for feature in use.feature_names):
            if owner.get(name) == use.view.name:
                raise RequestError(
                    call,
                    f"feature {name!r} of view {use.view.name!r} is requested twice",
                    f"Name '{use.view.name}:{name}' once.",
                )
            if name in owner:
                raise RequestError(
                    call,
                    f"views {owner[name]!r} and {use.view.name!r} both have a feature {name!r}",
                    "Give one of them a prefix in a service: view.with_prefix('other_').",
                )
            owner[name] = use.view.name


def _rows(view: FeatureView) -> Rows:
    return Rows(
        available_delay=view.total_available_delay,
        unique_by=view.unique_columns,
        has_sequence=view.has_sequence,
        has_deleted=view.has_tombstones,
        has_available=_has_available(view),
    )


def _has_available(view: FeatureView) -> bool:
    roles = view.source_roles
    declared = roles.change_feed or roles.available_timestamp_field is not None
    return declared or not isinstance(view.source, StoredSource)


def _columns(use: FeatureReference) -> tuple[Column, ...]:
    types = {column.name: column.dtype for column in use.view.schema}
    return tuple(Column(use.prefix + name, name, types[name]) for name in use.feature_names)


def _aggregates(use: FeatureReference) -> tuple[Aggregate, ...]:
    types = {column.name: column.dtype for column in use.view.schema}
    compiled = {
        name: _aggregate(aggregation, name, window, types, use.prefix)
        for aggregation in use.view.aggregations
        for name, window in zip(aggregation.feature_names, aggregation.windows, strict=True)
    }
    return tuple(compiled[name] for name in use.feature_names) if compiled else ()


def _aggregate(
    aggregation: Aggregation, name: str, window: Length, types: dict[str, DataType], prefix: str
) -> Aggregate:
    dtype = None if aggregation.column == ANY_ROW else types[aggregation.column]
    by = None if aggregation.by is None else types[aggregation.by]
    result = output_type(aggregation.function, dtype, by)
    function = parse_function(aggregation.function)
    if result is None or function is None:  # rules.check refuses this before anything is applied
        raise RequestError(
            f"aggregation {name!r}",
            f"{aggregation.function!r} has no meaning for {dtype}",
            "Run `featurestore validate`.",
        )
    return Aggregate(
        prefix + name,
        column=aggregation.column,
        dtype=dtype,
        function=function.name,
        window=_window(aggregation, window),
        result=result,
        empty=aggregation.empty,
        number=function.number,
        by=aggregation.by,
        ddof=aggregation.ddof,
    )


def _window(aggregation: Aggregation, window: Length) -> Window:
    grid = grid_of(window)
    return Window(
        None if grid.size == LIFETIME else parse_duration(grid.size),
        parse_duration(aggregation.delay),
        aggregation.closed == "right",
        None if grid.every is None else parse_duration(grid.every),
        parse_duration(grid.offset),
    )


def output_fields(query: Query) -> tuple[Field, ...]:
    """Return the answer's feature columns as typed fields, in order.

    Example:
        >>> output_fields(Query("nothing", ()))
        ()
    """
    stored = [feature for view in query.views for feature in view.features]
    computed = [output for node in query.on_demand for output in node.outputs]
    types = {feature.output: feature.result for feature in (*stored, *computed)}
    return tuple(Field(name, types[name]) for name in query.outputs)
