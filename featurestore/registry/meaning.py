"""The rules of a feature in words: which rows count for its value at a moment t."""

from collections.abc import Iterator
from dataclasses import dataclass

from featurestore.definitions.model.aggregation import ANY_ROW, Aggregation
from featurestore.definitions.model.functions import FUNCTION_SPECS, parse_function
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.source import FileSource, KafkaSource, RequestSource, Source
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.model.window import Grid, grid_of
from featurestore.registry.features import Feature
from featurestore.times import LIFETIME

NO_TIME = "0s"


@dataclass(frozen=True)
class Interval:
    """The event times that count, as texts.

    Args:
        low: The lower edge; None for none.
        high: The upper edge, such as ``"t"``.
        brackets: The bracket of each edge, such as ``"[)"``.
        newest: Whether only the newest row in the interval counts.
        late: Whether rows may become available later than their event.
    """

    low: str | None
    high: str
    brackets: str
    newest: bool = False
    late: bool = False

    def __str__(self) -> str:
        low = "(-∞" if self.low is None else f"{self.brackets[0]}{self.low}"
        return f"{low}, {self.high}{self.brackets[1]}"


def interval_of(feature: Feature) -> Interval | None:
    """Return the event times that count for a feature; None for an on-demand feature."""
    view = feature.view
    if isinstance(view, OnDemandFeatureView):
        return None
    if feature.aggregation is None or feature.window is None:
        low = None if view.ttl is None else f"t - {view.ttl}"
        return Interval(low, "t", "[]", newest=True, late=_is_late(view))
    aggregation, grid = feature.aggregation, grid_of(feature.window)
    delay = "" if aggregation.delay == NO_TIME else f" - {aggregation.delay}"
    end = f"t{delay}" if grid.every is None else "e"
    lowest = None if grid.size == LIFETIME else f"{end} - {grid.size}"
    brackets = "[)" if aggregation.closed == "left" else "(]"
    return Interval(lowest, end, brackets, late=_is_late(view))


def meaning_of(feature: Feature) -> str:
    """Return what a feature is, in one line."""
    aggregation = feature.aggregation
    if aggregation is None:
        if isinstance(feature.view, OnDemandFeatureView):
            return f"{feature.name}, computed at each call"
        return f"the newest {feature.name}"
    of = "rows" if aggregation.column == ANY_ROW else aggregation.column
    by = "" if aggregation.by is None else f" for each {aggregation.by}"
    grid = grid_of(feature.window or LIFETIME)
    size = "all time" if grid.size == LIFETIME else f"the {grid.size}"
    delay = "" if aggregation.delay == NO_TIME else f" - {aggregation.delay}"
    end = f"t{delay}" if grid.every is None else f"the last end of each {grid.every}"
    return f"{aggregation.function} of {of}{by} in {size} before {end}"


def source_type(source: Source) -> str:
    """Return what a source is, in a few words.

    Example:
        >>> source_type(RequestSource("basket", schema=()))
        'values of the request'
        >>> source_type(FileSource("trips", path="data/trips", timestamp_field="at"))
        'files (format by suffix)'
    """
    if isinstance(source, FileSource):
        return f"files ({source.file_format or 'format by suffix'})"
    if isinstance(source, RequestSource):
        return "values of the request"
    if isinstance(source, KafkaSource):
        return f"Kafka topic {source.topic}"
    return "Delta table, read by its change feed" if source.change_feed else "Delta table"


def window_text(feature: Feature) -> str:
    """Return the window as text, such as ``"7d every 1d"``; ``""`` without a window."""
    return "" if feature.window is None else str(grid_of(feature.window))


def rules_of(feature: Feature) -> list[str]:
    """Return the rules of a feature, each as a sentence."""
    view = feature.view
    if isinstance(view, OnDemandFeatureView):
        return list(_computed(view, feature.name))
    if feature.aggregation is None:
        return [*_newest(view, interval_of(feature)), *_rows(view)]
    return [
        *_window(feature.aggregation, grid_of(feature.window or ""), interval_of(feature)),
        *_function(feature.aggregation),
        *_rows(view),
    ]


def _newest(view: FeatureView, interval: Interval | None) -> Iterator[str]:
    key = "the key" if view.entities else "the view"
    yield f"The value of the newest row of {key} with an event time in {interval}."
    if view.ttl is not None:
        yield f"If the newest row is older than {view.ttl}, the value is null."


def _window(aggregation: Aggregation, grid: Grid, interval: Interval | None) -> Iterator[str]:
    yield f"Rows with an event time in {interval} count."
    if grid.every is not None:
        delay = "" if aggregation.delay == NO_TIME else f" - {aggregation.delay}"
        shift = "" if grid.offset == NO_TIME else f", shifted by {grid.offset}"
        yield (
            f"e is the last point at or before t{delay} of a grid with a point every "
            f"{grid.every} from 1970-01-01 UTC on{shift}."
        )


def _function(aggregation: Aggregation) -> Iterator[str]:
    parsed = parse_function(aggregation.function)
    spec = None if parsed is None else FUNCTION_SPECS.get(parsed.name)
    if spec is None:
        return
    yield f"{aggregation.function}: {spec.description.replace('`', '')}."
    if aggregation.by is not None:
        yield f"A map with an entry for each value of {aggregation.by} in the window."
    if "ddof" in spec.takes and aggregation.ddof != 1:
        yield f"ddof is {aggregation.ddof}."
    if aggregation.column != ANY_ROW:
        yield "Nulls are skipped."
    own = spec.empty if aggregation.empty is None else aggregation.empty
    empty = "empty" if own == () or aggregation.by is not None else own
    yield f"Without values in the window it is {'null' if empty is None else empty}."


def _rows(view: FeatureView) -> Iterator[str]:
    """Yield the rules on which rows there are."""
    roles, delay = view.source_roles, view.available_delay
    later = "" if delay == NO_TIME else f", plus {delay}"
    if roles.available_timestamp_field is not None:
        yield f"A row counts only from the time in {roles.available_timestamp_field} on{later}."
    elif later:
        yield f"A row counts only from {delay} after its event on."
    if view.snapshot:
        yield "A row's time is the start of the run that found it new or changed in the source."
    if view.unique_columns:
        columns = ", ".join(view.unique_columns)
        yield f"Rows equal in the keys and {columns} are revisions; the newest available counts."
    if view.has_tombstones:
        yield "A row that is marked as deleted removes what it deletes, from its time on."
    if view.lineage:
        yield f"The rows are those of the view {view.lineage[0].name}."


def _computed(view: OnDemandFeatureView, name: str) -> Iterator[str]:
    yield "Computed at each call, row by row. It has no table."
    for use in view.uses:
        names = ", ".join(f"{use.prefix}{each}" for each in use.feature_names)
        yield f"Inputs of the view {use.view.name}: {names}."
    for source in view.requests:
        names = ", ".join(column.name for column in source.schema)
        yield f"Inputs of the request ({source.name}): {names}."
    if isinstance(view.transform, dict) and name in view.transform:
        yield f"Expression: {view.transform[name].strip()}"


def _is_late(view: FeatureView) -> bool:
    return view.source_roles.available_timestamp_field is not None or any(
        each.available_delay != NO_TIME for each in (view, *view.lineage)
    )
