"""What to compute, as plain data: the query that every engine answers.

A query names spine columns, stored columns and output columns; it knows no table, file or engine.
All durations are whole microseconds.
"""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, replace

from featurestore.definitions.model.types import DataType
from featurestore.definitions.model.view import Code


@dataclass(frozen=True)
class KeyBinding:
    """A view's join key and the spine's column that fills it."""

    key: str
    spine_column: str
    dtype: DataType


@dataclass(frozen=True)
class Column:
    """An as-of feature: the winner's value of one stored column.

    Args:
        output: The feature's name in the answer.
        column: The stored column.
        dtype: Its type, which is also the answer's.
    """

    output: str
    column: str
    dtype: DataType

    @property
    def result(self) -> DataType:
        """The answer's type."""
        return self.dtype


@dataclass(frozen=True)
class Window:
    """Which rows an aggregate sees: ``[end - size, end)``, where `end` says.

    Args:
        size: Length; None is lifetime, without a lower edge.
        delay: How far the whole window lies in the past.
        closed_right: Whether it is ``(end - size, end]`` instead; never on a grid.
        every: The distance of the points of the grid on which it ends; None: it ends at
            ``t - delay``.
        offset: How far the grid is shifted.

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
        """Return where it ends as of a moment."""
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
        function: One of `featurestore.definitions.model.aggregation.FUNCTIONS`.
        window: Which rows it sees.
        result: The answer's type.
        empty: The answer for a window without values; None for the function's own.
        number: The length of a list, or the percentage of a percentile; None for the others.
        by: The stored column whose values the answer's map has as keys; None for no map.
        ddof: Of variance and stddev: what is taken from the number of values to divide by.
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
    """How a view's stored rows come to exist and to answer.

    Args:
        available_delay: The constant part of every row's lag behind its event; a row is visible
            from ``max(event, available)`` on, which already holds this delay.
        unique_by: Columns that, with the keys, make rows revisions of one event.
        has_sequence: Whether ``_seq`` is stored.
        has_deleted: Whether ``_deleted`` is stored.
        has_available: Whether a row's available time may differ from its event's time plus
            ``available_delay``; where it cannot, nobody needs to read it.
    """

    available_delay: int = 0
    unique_by: tuple[str, ...] = ()
    has_sequence: bool = False
    has_deleted: bool = False
    has_available: bool = True


@dataclass(frozen=True)
class ViewQuery:
    """One use of one view: whose rows, at which moment, and which answers.

    Args:
        view: The view's name.
        keys: Its join keys in stored order; empty for a view without keys.
        timestamp_field: The spine's column that holds t.
        rows: How its rows exist.
        columns: As-of features; empty where there are aggregates.
        aggregates: Window features; empty where there are columns.
        ttl: The greatest age at which a winner answers; None for ever.
        strict: Whether an event at exactly t is left out of the as-of.
        place: Where the view, or a label over it, is declared, for messages.
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
    place: str = field(default="", repr=False, compare=False)

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
        """The stored value columns it reads, each once, in order."""
        names = [feature.column for feature in self.features]
        names += [aggregate.by for aggregate in self.aggregates if aggregate.by is not None]
        return tuple(dict.fromkeys(name for name in names if name != "*"))


@dataclass(frozen=True)
class Input:
    """A column that an on-demand transform sees.

    Args:
        name: What the transform calls it.
        column: The column that holds it: of the engine's answers, or of the spine.
        dtype: Its type.
        source: The request source that brings it, ``""`` for the row's moment; None where it is
            a stored feature.
    """

    name: str
    _: KW_ONLY
    column: str
    dtype: DataType
    source: str | None = None


@dataclass(frozen=True)
class Output:
    """An on-demand feature: its name in the answer, the one in its view, and its type."""

    output: str
    name: str
    result: DataType


@dataclass(frozen=True)
class OnDemand:
    """One use of one on-demand view.

    Args:
        view: The on-demand view's name.
        inputs: What the transform sees, in order; the row's moment is the last.
        outputs: The chosen features, in order.
        declared: The names of all features, which a function gives.
        transform: SQL expressions by feature, or the `Code` of a function, to find it by.
        place: Where the view is declared, for messages.
    """

    view: str
    _: KW_ONLY
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    declared: tuple[str, ...]
    transform: Mapping[str, str] | Code
    place: str

    @property
    def stored(self) -> tuple[Input, ...]:
        """Its inputs that come from feature tables."""
        return tuple(each for each in self.inputs if each.source is None)

    @property
    def given(self) -> tuple[Input, ...]:
        """Its inputs that come with the spine, the row's moment included."""
        return tuple(each for each in self.inputs if each.source is not None)


@dataclass(frozen=True)
class Query:
    """Everything that one request asks: uses of views, answered side by side.

    Args:
        call: The call in words, for error messages.
        views: The uses that feature tables answer; their features come out in this order.
        timestamp_field: The request's time column.
        on_demand: What is computed from those answers and from the spine.
        order: The names of the features that come out; None for all of ``views``.
    """

    call: str
    views: tuple[ViewQuery, ...]
    timestamp_field: str = "event_timestamp"
    on_demand: tuple[OnDemand, ...] = ()
    order: tuple[str, ...] | None = None

    @property
    def stored(self) -> "Query":
        """The part that feature tables answer, with what on-demand features need of them."""
        return replace(self, on_demand=(), order=None)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of all features, in order."""
        if self.order is not None:
            return self.order
        return tuple(name for view in self.views for name in view.outputs)
