"""Feast's aggregations of batch and stream feature views as windows."""

from datetime import timedelta

from featurestore.definitions.model.functions import parse_function
from featurestore.integrations.feast.translation.columns import Record, column_of, dtype
from featurestore.integrations.feast.translation.context import ViewColumn
from featurestore.integrations.feast.translation.names import plain
from featurestore.integrations.feast.translation.notes import Notes
from featurestore.integrations.feast.translation.python_text import Call, Code
from featurestore.integrations.feast.translation.sources import original
from featurestore.times import duration_text

_FUNCTIONS = {"avg": "mean", "std": "stddev", "var": "variance", "nunique": "count_distinct"}
_KEEPS_TYPE = ("sum", "min", "max", "first", "last")
_LIFETIME = "lifetime"
_ANY = "*"
_WINDOWS = (
    "Windows end at each row's moment, without the events at that moment. Feast's end at steps of "
    "slide_interval, and its historical features read the column that its engine wrote."
)


def aggregations(
    notes: Notes, subject: str, view: Record, source: Record
) -> tuple[list[ViewColumn], list[Call], dict[str, str]]:
    """Return what a view with aggregations has.

    Args:
        notes: Where the differences are noted.
        subject: The view, for notes.
        view: Feast's view.
        source: Feast's source of the view.

    Returns:
        Its columns to aggregate, its aggregations, and our names of its features by Feast's.
    """
    columns: dict[str, ViewColumn] = {}
    calls, features = [], {}
    for each in view["aggregations"]:
        feast, kind = _feast_name(each), _input_type(view, source, each)
        if problem := _problem(each, kind):
            notes.left_out(subject, f"Feature {feast!r}: {problem}")
            continue
        column = plain(each["column"]) if each["column"] else _ANY
        if column != _ANY:
            stored = original(source, each["column"])
            field = Call("fs.Field", (column, Code(str(kind))))
            columns[column] = ViewColumn(column, feast=each["column"], stored=stored, field=field)
        call, name = _aggregation(column, each)
        calls.append(call)
        features[feast] = name
    renamed = [f"{old!r} is {new!r}" for old, new in features.items() if old != new]
    if features:
        notes.changed(subject, f"{_WINDOWS} {'; '.join(renamed)}.")
    return list(columns.values()), calls, features


def _problem(aggregation: Record, kind: str | None) -> str:
    """Return why an aggregation cannot be written; ``""`` if it can."""
    if parse_function(_function(aggregation)) is None:
        return f"there is no function {aggregation['function']!r}."
    if kind is None and aggregation["column"]:
        return f"the type of column {aggregation['column']!r} is not known."
    return ""


def _function(aggregation: Record) -> str:
    function: str = aggregation["function"]
    return _FUNCTIONS.get(function, function)


def _aggregation(column: str, aggregation: Record) -> tuple[Call, str]:
    """Return an aggregation, and the name of its feature."""
    function, named = _function(aggregation), aggregation["name"] and plain(aggregation["name"])
    seconds = aggregation["window"]
    window = str(duration_text(timedelta(seconds=int(seconds)))) if seconds else _LIFETIME
    stem = named or (function if column == _ANY else f"{column}_{function}")
    keywords = {"windows": [window], "name": named}
    return Call("fs.Aggregation", (column, function), keywords), f"{stem}_{window}"


def _input_type(view: Record, source: Record, aggregation: Record) -> str | None:
    """Return the type of a column to aggregate: that of the file, or of its sum or extreme."""
    column = column_of(source["columns"], original(source, aggregation["column"]))
    if column:
        return dtype(column["type"], column["stored"])
    output = column_of(view["features"], _feast_name(aggregation))
    if output and aggregation["function"] in _KEEPS_TYPE:
        return dtype(output["type"])
    return None


def _feast_name(aggregation: Record) -> str:
    """Return the name that Feast gives to the feature."""
    if aggregation["name"]:
        return str(aggregation["name"])
    name = f"{aggregation['function']}_{aggregation['column']}"
    window = aggregation["window"]
    return f"{name}_{int(window)}s" if window else name
