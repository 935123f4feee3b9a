"""`Query`: the features to compute, as plain data. Every engine answers the same queries.

A query names columns of the spine, of stored rows and of the answer. It depends on no table, file
or engine. All durations are whole microseconds.
"""

from collections.abc import Collection, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace

from featurestore.definitions.model.types import DataType
from featurestore.definitions.model.view import Code


@dataclass(frozen=True)
class KeyBinding:
    """A view's join key and the spine column with its values.

    Args:
        key: The join key's name in the view.
        spine_column: The spine column.
        dtype: The key's type.
    """

    key: str
    spine_column: str
    dtype: DataType


@dataclass(frozen=True)
class Column:
    """An as-of feature: the value of one stored column in the winning row.

    Args:
        output: The feature's name in the answer.
        column: The stored column.
        dtype: The type of the column and of the feature.
    """

    output: str
    column: str
    dtype: DataType

    @property
    def result(self) -> DataType:
        """The feature's type."""
        return self.dtype


@dataclass(frozen=True)
class Window:
    """The window of an aggregate: rows with event times in ``[end - size, end)``; see `end`.

    Args:
        size: The length; None for a lifetime window, which has no lower edge.
        delay: The distance of the whole window from t, into the past.
        closed_right: Whether the window is ``(end - size, end]`` instead; never on a grid.
        every: The distance between points of the grid of window ends; None for a window that
            ends at ``t - delay``.
        offset: The shift of the grid.

    Example:
        >>> Window(20).end(47), Window(20, every=10, offset=3).end(47)
        (47, 43)
    """

    size: int | None
    delay: int = 0
    closed_right: bool = False
    every: int | None = None
    offset: int = 0

    def end(self, moment: int) -> int:
        """Return the window's end for the moment t."""
        end = moment - self.delay
        if self.every is None:
            return end
        return (end - self.offset) // self.every * self.every + self.offset


@dataclass(frozen=True)
class Aggregate:
    """A window feature.

    Args:
        output: The feature's name in the answer.
        column: The stored column, or ``"*"`` for rows.
        dtype: The stored column's type; None for ``"*"``.
        function: A name in `featurestore.definitions.model.functions.FUNCTION_SPECS`.
        window: The window of rows.
        result: The feature's type.
        empty: The answer for a window without values; None for the function's default.
        number: The length of a list, or the percentage of a percentile; None for other functions.
        by: The stored column whose values are the keys of the answer's map; None for no map.
        ddof: The delta degrees of freedom of variance and stddev: they divide by n - ddof.
    """

    output: str
    _: KW_ONLY
    column: str
    dtype: DataType | None
    function: str
    window: Window
    result: DataType
    empty: int | float | str | bool | None = None
    number: int | None = None
    by: str | None = None
    ddof: int = 1


@dataclass(frozen=True)
class Rows:
    """The properties of a view's stored rows that decide when a row exists.

    Args:
        available_delay: The constant delay between events and availability. A row is visible
            from ``max(event, available)`` on, and ``available`` includes this delay.
        unique_by: The columns that, with the keys, identify an event: rows equal in them are its
            revisions.
        has_sequence: Whether ``_seq`` is stored.
        has_deleted: Whether ``_deleted`` is stored.
        has_available: Whether a row's available time may differ from the event's time plus
            ``available_delay``. If it cannot, the column need not be read.
    """

    available_delay: int = 0
    unique_by: tuple[str, ...] = ()
    has_sequence: bool = False
    has_deleted: bool = False
    has_available: bool = True


@dataclass(frozen=True)
class ViewQuery:
    """One use of one view: its keys, its moment t, and its features.

    Args:
        view: The view's name.
        keys: Its join keys in stored order; empty for a view without keys.
        timestamp_field: The spine column with the moment t.
        rows: The properties of its stored rows.
        columns: As-of features; empty if there are aggregates.
        aggregates: Window features; empty if there are columns.
        ttl: The greatest age of a winning row; None for no limit.
        strict: Whether an event at exactly t is excluded from the as-of.
        origin: The line that declares the view, or a label of it, for messages.
    """

    view: str
    _: KW_ONLY
    keys: tuple[KeyBinding, ...]
    timestamp_field: str
    rows: Rows = field(default_factory=Rows)
    columns: tuple[Column, ...] = ()
    aggregates: tuple[Aggregate, ...] = ()
    ttl: int | None = None
    strict: bool = False
    origin: str = field(default="", repr=False, compare=False)

    @property
    def features(self) -> tuple[Column | Aggregate, ...]:
        """Its features, in order."""
        return (*self.columns, *self.aggregates)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of its features, in order."""
        return tuple(feature.output for feature in self.features)

    @property
    def value_columns(self) -> tuple[str, ...]:
        """The stored value columns that its features need, each once, in order."""
        names = [feature.column for feature in self.features]
        names += [aggregate.by for aggregate in self.aggregates if aggregate.by is not None]
        return tuple(dict.fromkeys(name for name in names if name != "*"))

    def only(self, outputs: Collection[str]) -> "ViewQuery":
        """Return the same use with only these features.

        Example:
            >>> from featurestore.definitions.model.types import Int64
            >>> columns = (Column("x", "x", Int64), Column("y", "y", Int64))
            >>> ViewQuery("v", keys=(), timestamp_field="t", columns=columns).only({"y"}).outputs
            ('y',)
        """
        return replace(
            self,
            columns=tuple(each for each in self.columns if each.output in outputs),
            aggregates=tuple(each for each in self.aggregates if each.output in outputs),
        )


@dataclass(frozen=True)
class Input:
    """An input column of an on-demand transform.

    Args:
        name: Its name in the transform.
        column: The column with its values: of the engine's answer, or of the spine.
        dtype: Its type.
        source: The request source of a request value; ``""`` for the row's moment; None for a
            stored feature.
    """

    name: str
    _: KW_ONLY
    column: str
    dtype: DataType
    source: str | None = None


@dataclass(frozen=True)
class Output:
    """An on-demand feature.

    Args:
        output: Its name in the answer.
        name: Its name in its view.
        result: Its type.
    """

    output: str
    name: str
    result: DataType


@dataclass(frozen=True)
class OnDemand:
    """One use of one on-demand view.

    Args:
        view: The on-demand view's name.
        inputs: The inputs of the transform, in order; the row's moment is the last.
        outputs: The chosen features, in order.
        declared: The names of all features of the view; a function returns all of them.
        transform: SQL expressions by feature, or the `Code` of a function.
        origin: The line that declares the view, for messages.
    """

    view: str
    _: KW_ONLY
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    declared: tuple[str, ...]
    transform: Mapping[str, str] | Code
    origin: str

    @property
    def stored(self) -> tuple[Input, ...]:
        """The inputs that are stored features."""
        return tuple(each for each in self.inputs if each.source is None)

    @property
    def request_inputs(self) -> tuple[Input, ...]:
        """The inputs that are columns of the spine: request values and the row's moment."""
        return tuple(each for each in self.inputs if each.source is not None)


@dataclass(frozen=True)
class Query:
    """All features of one request.

    Args:
        call: The user's call, for messages.
        views: The uses of views that feature tables answer.
        timestamp_field: The request's time column.
        on_demand: The uses of on-demand views, computed from those answers and the spine.
        order: The names of the answer's features, in order; None for all features of ``views``.
    """

    call: str
    views: tuple[ViewQuery, ...]
    timestamp_field: str = "event_timestamp"
    on_demand: tuple[OnDemand, ...] = ()
    order: tuple[str, ...] | None = None

    @property
    def stored(self) -> "Query":
        """The part that feature tables answer, including inputs of on-demand features."""
        return replace(self, on_demand=(), order=None)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of all features, in order."""
        if self.order is not None:
            return self.order
        return tuple(name for view in self.views for name in view.outputs)
