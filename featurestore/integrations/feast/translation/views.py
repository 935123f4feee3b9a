"""Feast's feature views as ours."""

from datetime import timedelta
from typing import Any

from featurestore.definitions.reserved import RESERVED
from featurestore.integrations.feast.translation.aggregations import aggregations
from featurestore.integrations.feast.translation.columns import (
    AS_TEXT,
    Record,
    about,
    column_of,
    dtype,
)
from featurestore.integrations.feast.translation.context import Context, Key, View, ViewColumn
from featurestore.integrations.feast.translation.names import plain
from featurestore.integrations.feast.translation.python_text import Call, Code, Sql
from featurestore.integrations.feast.translation.sources import (
    original,
    sequence_column,
    sequence_is_stored,
    source_of,
    time_column,
    write_source,
)
from featurestore.quoting import spark_name
from featurestore.times import duration_text

_LABELS = "Labels are columns of the spine, or a view of their events (docs/training-sets.md)."


def write_views(context: Context) -> None:
    """Write each view that reads files or a Delta table, and the sources of these views."""
    for view in context.records("views"):
        subject = f"view {view['name']}"
        problem = view_problem(context, view) or write_source(context, view["source"])
        if problem:
            context.notes.left_out(subject, problem)
        else:
            _write(context, subject, view)


def view_problem(context: Context, view: Record) -> str:
    """Return why a view cannot be written; ``""`` if nothing is against it, but its source."""
    missing = [name for name in view["entities"] if name not in context.keys]
    if view["kind"] == "LabelView":
        return _LABELS
    if view["source_views"]:
        names = ", ".join(view["source_views"])
        return f"Feast computes it from {names}. Declare it with source= one of these views."
    if not view["source"]:
        return "It has no source of stored rows."
    if missing:
        return f"Its entity {', '.join(missing)} is left out."
    if not view["enabled"]:
        return "It is not enabled."
    return ""


def _write(context: Context, subject: str, view: Record) -> None:
    source = source_of(context, view["source"])
    keys = [context.keys[name] for name in view["entities"]]
    if view["aggregations"]:
        columns, calls, features = aggregations(context.notes, subject, view, source)
    else:
        columns, calls = _feature_columns(context, subject, view, source, keys), []
        features = {each.feast: each.name for each in columns}
    if not features:
        context.notes.left_out(subject, "None of its features is left.")
        return
    _note_differences(context, subject, view)
    variable = context.names.variable(view["name"], "view")
    own = context.name("view", subject, view["name"])
    context.views[view["name"]] = View(
        variable, features=features, keys=tuple(key.name for key in keys)
    )
    arguments: dict[str, Any] = {
        # Written also if there are none, because it is required.
        "entities": Code("()") if not keys else [Code(key.variable) for key in keys],
        "source": Code(context.sources[view["source"]]),
        "schema": [each.field for each in columns],
        "transform": _transform(source, keys, columns),
        "aggregations": calls,
        "ttl": _ttl(context, subject, view),
        **about(view),
    }
    context.write(subject, variable, Call("fs.FeatureView", (own,), arguments))


def _feature_columns(
    context: Context, subject: str, view: Record, source: Record, keys: list[Key]
) -> list[ViewColumn]:
    """Return the columns of the features that can be written."""
    found: list[ViewColumn] = []
    excluded = {time_column(source), original(source, source["created_timestamp_column"])}
    declared = view["features"] or _inferred(source, excluded | {key.feast for key in keys})
    for feature in declared:
        stored = original(source, feature["name"])
        known = column_of(source["columns"], stored)
        ours = plain(feature["name"])
        kind = dtype(feature["type"], (known or {}).get("stored", ""))
        names = {each.name.casefold() for each in found} | {key.name.casefold() for key in keys}
        if problem := _problem(view, source, feature, kind, names):
            context.notes.left_out(subject, f"Feature {feature['name']!r}: {problem}")
            continue
        if ours != feature["name"]:
            context.notes.changed(subject, f"Feature {feature['name']!r} is {ours!r} here.")
        if feature["type"] in AS_TEXT:
            text = f"Feature {ours!r} is {feature['type']} in Feast, and its text here."
            context.notes.changed(subject, text)
        lost = ["tags"] * bool(feature.get("tags")) + ["vector index"] * bool(
            feature.get("vector_index")
        )
        if lost:
            context.notes.left_out(subject, f"The {' and '.join(lost)} of feature {ours!r}.")
        described = {"description": feature.get("description", "")}
        field = Call("fs.Field", (ours, Code(str(kind))), described)
        found.append(ViewColumn(ours, feast=feature["name"], stored=stored, field=field))
    return found


def _problem(
    view: Record, source: Record, feature: Record, kind: str | None, names: set[str]
) -> str:
    """Return why a feature cannot be written; ``""`` if it can."""
    stored = original(source, feature["name"])
    if source["columns"] is not None and column_of(source["columns"], stored) is None:
        made = f", and {view['function']['name']!r} is not translated" if view["function"] else ""
        return f"the files of {source['name']!r} have no column {stored!r}{made}."
    if plain(feature["name"]).casefold() in names:
        return "another column has this name (upper and lower case count as equal)."
    if plain(feature["name"]).casefold() in RESERVED:
        return "the store itself has a column of this name."
    if kind is None:
        return f"there is no type for {feature['type']}. Make columns of its parts in a transform."
    return ""


def _inferred(source: Record, excluded: set[str]) -> list[Record]:
    """Return the features of a view that declares none: all other columns, as Feast takes them."""
    return [
        {**each, "name": source["field_mapping"].get(each["name"], each["name"])}
        for each in source["columns"] or ()
        if each["name"] not in excluded and not each["name"].startswith("__")
    ]


def _transform(source: Record, keys: list[Key], columns: list[ViewColumn]) -> Sql | str | None:
    """Return SQL that renames columns and makes the sequence; None if neither is needed."""
    chosen = [(original(source, key.feast), key.name) for key in keys]
    time = time_column(source)
    chosen.append((time, time))
    made = []
    sequence = sequence_column(source)
    if sequence and sequence_is_stored(source):
        chosen.append((sequence, sequence))
    elif sequence:
        created = original(source, source["created_timestamp_column"])
        made = [f"unix_micros(CAST({_name(created)} AS TIMESTAMP)) AS {_name(sequence)}"]
    chosen += [(each.stored, each.name) for each in columns]
    if not made and all(stored == name for stored, name in chosen):
        return None
    listed = [
        _name(stored) if stored == name else f"{_name(stored)} AS {_name(name)}"
        for stored, name in dict.fromkeys(chosen)
    ]
    parts = [*listed, *made]
    selected = [f"    {part}{',' if part is not parts[-1] else ''}" for part in parts]
    return Sql(("SELECT", *selected, "FROM {source}"))


def _name(name: str) -> str:
    """Return a column's name in SQL, quoted if it must be."""
    return name if plain(name) == name else spark_name(name)


def _ttl(context: Context, subject: str, view: Record) -> str | None:
    seconds = view["ttl"]
    if not seconds or view["aggregations"]:
        return None
    whole = -int(-seconds // 1)
    if whole != seconds:
        text = f"Its ttl of {seconds} seconds is {whole} seconds here: ttls are whole seconds."
        context.notes.changed(subject, text)
    return str(duration_text(timedelta(seconds=whole)))


def _note_differences(context: Context, subject: str, view: Record) -> None:
    notes, function = context.notes, view["function"]
    if view["stream"]:
        text = f"{view['stream']}: rows come from the stored rows of {view['source']!r} only."
        notes.left_out(subject, text)
    if function:
        place = f"{function['module']}:{function['line']}"
        text = (
            f"The {function['mode']} function {function['name']!r} ({place}). The view reads the"
        )
        text += " stored rows as they are, as Feast's historical features do. Write transform=, if"
        notes.left_out(subject, f"{text} they are the rows before it.")
    if view["version"] != "latest":
        notes.left_out(
            subject, f"The fixed version {view['version']!r}: apply keeps the versions."
        )
    if view["validation"]:
        text = "enable_validation: here every value must fit its type. See docs/expectations.md."
        notes.changed(subject, text)
    if view["offline"]:
        notes.left_out(subject, "offline=True: nothing is written back to the source.")
