"""Labels computed from a view: an aggregate of the events after a row's moment."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, fields
from datetime import datetime, timedelta
from typing import Literal, get_args

import pyarrow as pa
import pyarrow.compute as pc

from featurestore.client.arguments import require_types
from featurestore.client.frame.splits import LabelTiming
from featurestore.client.reader import Reader
from featurestore.client.request import Request
from featurestore.client.spines.spine import Spine
from featurestore.definitions.model.aggregation import ANY_ROW, output_type
from featurestore.definitions.model.arguments import named_arguments
from featurestore.definitions.model.functions import (
    functions_of,
    nearest_function,
    number_problem,
    parse_function,
)
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.types import DataType
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.origin import Origin, origin
from featurestore.definitions.rules.aggregations import holds
from featurestore.definitions.rules.services import renaming_problems
from featurestore.engines.bind import bind
from featurestore.errors import NotFoundError, RequestError, SpineError, nearest
from featurestore.query.compile import compile_query, compile_reference
from featurestore.query.nodes import Aggregate, Query, ViewQuery, Window
from featurestore.query.requirements import spine_types
from featurestore.store.columns import UTC_MICROS
from featurestore.times import duration_text, parse_duration, parse_duration_argument, to_micros

_Immature = Literal["drop", "keep", "flag"]


@named_arguments
@dataclass(frozen=True)
class Label:
    """The value that a model learns: an aggregate of a view's events in ``(t, t + horizon]``.

    Here t is the moment of a spine row.

    Args:
        view: The view, or its name.
        column: One of its fields, or ``"*"`` to count rows.
        function: An aggregation function such as ``"count"``, ``"sum"`` or ``"max"``.
        horizon: How far the label looks ahead, such as ``"30d"``.
        maturity: How long to wait after the horizon for late rows. Then the label is *mature*: it
            does not change any more.
        immature: What to do with spine rows whose labels are not mature. ``"drop"`` removes them.
            ``"keep"`` keeps them with a null label. ``"flag"`` keeps them too, and adds a Boolean
            column ``<name>_mature`` to all rows.
        name: The name of the label column.
        empty: The label if there is no value in the horizon. By default 0 for counts, else null.
        join_keys: For join keys that have another name in the spine: ``{key: spine column}``.

    Raises:
        RequestError: An argument is wrong, such as a horizon of 0.

    Example:
        >>> Label("chargebacks", "*", "count", horizon="30d", maturity="60d").name
        'label'
    """

    view: str | FeatureView
    column: str
    function: str
    _: KW_ONLY
    horizon: str | timedelta
    maturity: str | timedelta = "0s"
    immature: _Immature = "drop"
    name: str = "label"
    empty: int | float | str | bool | None = None
    join_keys: Mapping[str, str] = field(default_factory=dict, hash=False)
    origin: Origin = field(default_factory=origin, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the arguments where the label is written."""
        given = {each.name: each for each in fields(self) if each.init}
        hints = {name: each.type for name, each in given.items()}
        require_types(f"Label() at {self.origin}", {n: getattr(self, n) for n in given}, hints)
        for name in ("horizon", "maturity"):
            object.__setattr__(self, name, duration_text(getattr(self, name)))
            micros = parse_duration_argument(self.call, name, getattr(self, name))
            if name == "horizon" and micros == 0:
                raise RequestError(self.call, "the horizon is 0", "Use e.g. horizon='30d'.")
        if self.immature not in (choices := get_args(_Immature)):
            raise RequestError(
                self.call, f"immature is {self.immature!r}", nearest(str(self.immature), choices)
            )

    @property
    def view_name(self) -> str:
        """The view's name."""
        return self.view if isinstance(self.view, str) else self.view.name

    @property
    def call(self) -> str:
        """The label as written, with its file and line, for error messages."""
        return f"Label({self.view_name!r}, horizon={self.horizon!r}) at {self.origin}"


def add_label(
    manifest: Manifest,
    reader: Reader,
    request: Request,
    spine: Spine,
    label: Label,
    now: datetime,
) -> Spine:
    """Return the spine with a label column, and without the immature rows if the label drops them.

    A label is computed as of ``horizon + maturity`` after its row's moment. So a mature label is
    the same in every later call.

    Args:
        manifest: The applied definitions.
        reader: Reads the tables.
        request: The features, and the spine's time column and zone.
        spine: The rows.
        label: The label to add.
        now: The present moment. A label is mature if its horizon and maturity ended before it.

    Raises:
        NotFoundError: The label's view or column is not applied.
        RequestError: The function cannot be used for the column.
        SpineError: The spine has a column with the label's name, or lacks a join key.
    """
    query = label_query(manifest, request, label, spine.table)
    bound = bind(query, spine.table, timezone=request.timezone, null_times=request.null_times)
    moments = bound[request.timestamp_field].cast(pa.int64())
    mature_at = pc.add(moments, timing_of(label).mature_after)
    mature = pc.fill_null(pc.less_equal(mature_at, to_micros(now)), False)
    position = bound.column_names.index(request.timestamp_field)
    bound = bound.set_column(position, request.timestamp_field, mature_at.cast(UTC_MICROS))
    answers = reader.answer(query, bound, reader.pin(query, manifest))
    values = pc.if_else(mature, answers[label.name], None)
    labelled = spine.with_table(spine.table.append_column(label.name, values))
    if label.immature == "drop":
        return labelled.where(mature)
    if label.immature == "flag":
        return labelled.with_table(labelled.table.append_column(_flag(label), mature))
    return labelled


def label_query(manifest: Manifest, request: Request, label: Label, spine: pa.Table) -> Query:
    """Return the query of a label. Its moments are ``horizon + maturity`` after the rows' own.

    Args:
        manifest: The applied definitions.
        request: The features, and the spine's time column.
        label: The label.
        spine: The rows. Only their columns are looked at.

    Raises:
        NotFoundError: The label's view or column is not applied.
        RequestError: The function cannot be used for the column.
        SpineError: The spine has a column with the label's name, or lacks a join key.
    """
    query = _query(manifest, request, label)
    _require_free_names(manifest, request, label, spine)
    _require_keys(query, label, spine)
    return query


def _require_free_names(
    manifest: Manifest, request: Request, label: Label, spine: pa.Table
) -> None:
    query = compile_query(
        manifest, request.features, call=request.call, timestamp_field=request.timestamp_field
    )
    for name in (label.name, *([_flag(label)] if label.immature == "flag" else [])):
        if name in spine.column_names:
            problem = f"the spine has a column {name!r} too"
        elif name in query.outputs:
            problem = f"a feature is named {name!r} too"
        else:
            continue
        raise SpineError(label.call, problem, "Use another name= for the Label.")


def _require_keys(query: Query, label: Label, spine: pa.Table) -> None:
    for key in query.views[0].keys:
        if key.spine_column not in spine.column_names:
            raise SpineError(
                label.call,
                f"the spine has no column {key.spine_column!r}, which is a join key of the "
                f"label's view {label.view_name!r}",
                f"{nearest(key.spine_column, spine.column_names)} If the column has another name, "
                f"pass join_keys={{{key.key!r}: 'column'}} to the Label.",
            )


def label_types(manifest: Manifest, request: Request, label: Label) -> dict[str, DataType]:
    """Return the declared types of the spine's columns that a label needs, by their names.

    Args:
        manifest: The applied definitions.
        request: The spine's time column.
        label: The label.

    Raises:
        NotFoundError: The label's view or column is not applied.
        RequestError: The function cannot be used for the column.
    """
    return spine_types(_query(manifest, request, label))


def timing_of(label: Label) -> LabelTiming:
    """Return a label's horizon and maturity in microseconds.

    Example:
        >>> timing_of(Label("claims", "*", "count", horizon="1s", maturity="2s"))
        LabelTiming(horizon=1000000, maturity=2000000)
    """
    return LabelTiming(parse_duration(label.horizon), parse_duration(label.maturity))


def _flag(label: Label) -> str:
    return f"{label.name}_mature"


def _query(manifest: Manifest, request: Request, label: Label) -> Query:
    view = manifest.view(label.view_name)
    if view is None:
        names = (each.name for each in manifest.views)
        raise NotFoundError(
            label.call, f"no view {label.view_name!r} is applied", nearest(label.view_name, names)
        )
    renamed = view.with_join_keys(label.join_keys)
    for problem in renaming_problems(renamed):
        keys = ", ".join(key.name for key in view.join_keys)
        fix = f"Use the view's join keys ({keys}) as the keys of join_keys=."
        raise RequestError(label.call, f"join_keys: {problem}", fix)
    whole = compile_reference(renamed, request.timestamp_field)
    use = ViewQuery(
        view.name,
        keys=whole.keys,
        timestamp_field=request.timestamp_field,
        rows=whole.rows,
        aggregates=(_aggregate(view, label),),
        origin=str(label.origin),
    )
    return Query(request.call, (use,), request.timestamp_field)


def _aggregate(view: FeatureView, label: Label) -> Aggregate:
    dtype = _column_type(view, label)
    result, function = output_type(label.function, dtype), parse_function(label.function)
    if function is None:
        near = nearest_function(label.function)
        raise RequestError(label.call, f"unknown function {label.function!r}", near)
    if wrong := number_problem(function):
        fix = "Correct the number in the function's name."
        raise RequestError(label.call, f"{label.function!r}: {wrong}", fix)
    if result is None:
        column = f"{label.view_name}:{label.column} ({'rows' if dtype is None else dtype})"
        raise RequestError(
            label.call,
            f"function {label.function!r} cannot be used for {column}",
            f"Use one of {', '.join(functions_of(dtype))}.",
        )
    if label.empty is not None and not holds(result, label.empty):
        problem = f"empty is {label.empty!r}, but the label's type is {result}"
        raise RequestError(label.call, problem, f"Use a value of type {result} for empty=.")
    horizon, maturity = parse_duration(label.horizon), parse_duration(label.maturity)
    return Aggregate(
        label.name,
        column=label.column,
        dtype=dtype,
        function=function.name,
        number=function.number,
        # The moment of this query is t + horizon + maturity. Seen from there, (t, t + horizon] is
        # a window of length `horizon` that ended `maturity` ago.
        window=Window(horizon, maturity, closed_right=True),
        result=result,
        empty=label.empty,
    )


def _column_type(view: FeatureView, label: Label) -> DataType | None:
    types = {field.name: field.dtype for field in view.schema}
    if label.column != ANY_ROW and label.column not in types:
        raise NotFoundError(
            label.call,
            f"view {view.name!r} has no field {label.column!r}",
            nearest(label.column, types),
        )
    return types.get(label.column)
