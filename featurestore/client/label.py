"""Labels from a view: what happened to a row's keys after its moment, once that can be known."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime
from typing import Literal, get_args

import pyarrow as pa
import pyarrow.compute as pc

from featurestore.client.arrow_rows import rows_where
from featurestore.client.frame.splits import LabelReach
from featurestore.client.reader import Reader
from featurestore.client.request import Request
from featurestore.definitions.model.aggregation import ANY_ROW, output_type
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
from featurestore.store.columns import UTC_MICROS
from featurestore.times import parse_duration, to_micros

_Immature = Literal["drop", "keep", "flag"]


@dataclass(frozen=True)
class Label:
    """What a model shall learn: an aggregate of a view's rows in ``(t, t + horizon]``.

    Args:
        view: The view's name.
        column: One of its fields, or ``"*"`` to count rows.
        function: An aggregate function such as ``"count"``, ``"sum"`` or ``"max"``.
        horizon: How far after a row's moment its label looks.
        maturity: How much longer to wait for rows of the horizon that become known late.
        immature: What becomes of rows whose horizon and maturity are not over: ``"drop"``,
            ``"keep"`` with a null label, or ``"flag"``: kept too, and every row tells in a
            column ``<name>_mature`` whether its label can be known.
        name: The label column's name.
        empty: The label where the horizon holds no value, in place of 0 for counts and null else.
        join_keys: The spine's columns that fill the view's join keys, where they are named
            otherwise: ``{key: column}``.

    Raises:
        RequestError: The horizon does not look ahead, or another argument is none.

    Example:
        >>> Label("chargebacks", "*", "count", horizon="30d", maturity="60d").name
        'label'
    """

    view: str
    column: str
    function: str
    _: KW_ONLY
    horizon: str
    maturity: str = "0s"
    immature: _Immature = "drop"
    name: str = "label"
    empty: int | float | str | bool | None = None
    join_keys: Mapping[str, str] = field(default_factory=dict, hash=False)
    origin: Origin = field(default_factory=origin, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse what can be no label, where it is written."""
        for name in ("horizon", "maturity"):
            try:
                micros = parse_duration(getattr(self, name))
            except RequestError as error:
                raise RequestError(self.call, f"{name}: {error.found}", error.fix) from None
            if name == "horizon" and micros == 0:
                raise RequestError(
                    self.call, "the label's horizon is 0", "Give it e.g. horizon='30d'."
                )
        if self.immature not in (known := get_args(_Immature)):
            raise RequestError(
                self.call, f"immature is {self.immature!r}", nearest(str(self.immature), known)
            )

    @property
    def call(self) -> str:
        """The label in words, with its place."""
        return f"Label({self.view!r}, horizon={self.horizon!r}) at {self.origin}"


def labelled(
    manifest: Manifest,
    reader: Reader,
    request: Request,
    spine: pa.Table,
    label: Label,
    now: datetime,
) -> pa.Table:
    """Return the spine with a label column, with or without the rows that are not mature.

    A label is what is known ``horizon + maturity`` after its row's moment, whenever it is asked:
    the same row gets the same label tomorrow.

    Args:
        manifest: What is applied.
        reader: Reads the tables.
        request: The time column and its zone.
        spine: The rows.
        label: What to add.
        now: The present moment; what lies after it is not over.

    Raises:
        NotFoundError: The label's view or column is not applied.
        RequestError: The function has no meaning for the column.
        SpineError: The spine has a column of the label's name.
    """
    query = _query(manifest, request, label)
    _require_free_names(manifest, request, label, spine)
    _require_keys(query, label, spine)
    bound = bind(query, spine, timezone=request.timezone, null_times=request.null_times)
    asked_at = pc.add(bound[request.timestamp_field].cast(pa.int64()), reach_of(label).known_after)
    mature = pc.fill_null(pc.less_equal(asked_at, to_micros(now)), False)
    place = bound.column_names.index(request.timestamp_field)
    bound = bound.set_column(place, request.timestamp_field, asked_at.cast(UTC_MICROS))
    answers = reader.answer(query, bound, reader.pin(query, manifest))
    values = pc.if_else(mature, answers[label.name], None)
    table = spine.append_column(label.name, values)
    if label.immature == "drop":
        return rows_where(table, mature)
    return table.append_column(_flag(label), mature) if label.immature == "flag" else table


def _require_free_names(
    manifest: Manifest, request: Request, label: Label, spine: pa.Table
) -> None:
    call = compile_query(
        manifest, request.features, call=request.call, timestamp_field=request.timestamp_field
    )
    for name in (label.name, *([_flag(label)] if label.immature == "flag" else [])):
        for owner, names in (("column", spine.column_names), ("feature", call.outputs)):
            if name in names:
                found = f"the {'spine has a' if owner == 'column' else 'answer has a'}"
                raise SpineError(
                    label.call, f"{found} {owner} {name!r}", "Give the Label another name=."
                )


def _require_keys(query: Query, label: Label, spine: pa.Table) -> None:
    for key in query.views[0].keys:
        if key.spine_column not in spine.column_names:
            raise SpineError(
                label.call,
                f"the spine has no column {key.spine_column!r}, the join key of the label's "
                f"view {label.view!r}",
                f"{nearest(key.spine_column, spine.column_names)} Another column is named by the "
                f"Label's join_keys={{{key.key!r}: '...'}}.",
            )


def reach_of(label: Label) -> LabelReach:
    """Return how far a label looks ahead.

    Example:
        >>> reach_of(Label("claims", "*", "count", horizon="1s", maturity="2s"))
        LabelReach(horizon=1000000, maturity=2000000)
    """
    return LabelReach(parse_duration(label.horizon), parse_duration(label.maturity))


def _flag(label: Label) -> str:
    return f"{label.name}_mature"


def _query(manifest: Manifest, request: Request, label: Label) -> Query:
    view = manifest.view(label.view)
    if view is None:
        known = (each.name for each in manifest.views)
        raise NotFoundError(
            label.call, f"no view {label.view!r} is applied", nearest(label.view, known)
        )
    renamed = view.with_join_keys(label.join_keys)
    for problem in renaming_problems(renamed):
        raise RequestError(label.call, "join_keys: " + problem, "")
    whole = compile_reference(renamed, request.timestamp_field)
    use = ViewQuery(
        view.name,
        keys=whole.keys,
        timestamp_field=request.timestamp_field,
        rows=whole.rows,
        aggregates=(_aggregate(view, label),),
        place=str(label.origin),
    )
    return Query(request.call, (use,), request.timestamp_field)


def _aggregate(view: FeatureView, label: Label) -> Aggregate:
    dtype = _column_type(view, label)
    result, function = output_type(label.function, dtype), parse_function(label.function)
    if function is None:
        near = nearest_function(label.function)
        raise RequestError(label.call, f"unknown function {label.function!r}", near)
    if wrong := number_problem(function):
        raise RequestError(label.call, f"{label.function!r}: {wrong}", "Give such a number.")
    if result is None:
        column = f"{label.view}:{label.column} ({'rows' if dtype is None else dtype})"
        raise RequestError(
            label.call,
            f"{label.function!r} has no meaning for {column}",
            f"It can {', '.join(functions_of(dtype))}.",
        )
    if label.empty is not None and not holds(result, label.empty):
        found = f"empty is {label.empty!r}, which is no {result}"
        raise RequestError(label.call, found, "Give a value of the label's type.")
    horizon, maturity = parse_duration(label.horizon), parse_duration(label.maturity)
    return Aggregate(
        label.name,
        column=label.column,
        dtype=dtype,
        function=function.name,
        number=function.number,
        # Asked at t + horizon + maturity, (t, t + horizon] lies `maturity` in the past.
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
