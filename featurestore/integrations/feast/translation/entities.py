"""Feast's entities as ours, with the types of their join keys."""

from collections.abc import Iterator

from featurestore.integrations.feast.translation.columns import (
    KEY_TYPES,
    Record,
    about,
    column_of,
    dtype,
)
from featurestore.integrations.feast.translation.context import Context, Key
from featurestore.integrations.feast.translation.names import plain
from featurestore.integrations.feast.translation.python_text import Call, Code


def write_entities(context: Context) -> None:
    """Write each entity whose key has a type that keys can have."""
    for entity in context.records("entities"):
        subject, name = f"entity {entity['name']}", plain(entity["join_key"])
        types = list(dict.fromkeys(_types(context, entity)))
        if not types:
            context.notes.left_out(
                subject,
                f"No type of its join key {name!r} is known. Add value_type= in Feast, and import "
                "again.",
            )
            continue
        [chosen, *others] = types
        if {"fs.Int32", "fs.Int64"} >= set(types):
            chosen, others = max(types), []
        if chosen not in KEY_TYPES:
            context.notes.left_out(subject, f"Its join key {name!r} is {chosen}, which no key is.")
            continue
        if others:
            text = f"Its join key {name!r} is {chosen} here, and {', '.join(others)} elsewhere."
            context.notes.changed(subject, text)
        if name != entity["join_key"]:
            context.notes.changed(
                subject, f"Its join key {entity['join_key']!r} is {name!r} here."
            )
        variable = context.names.variable(entity["name"], "entity")
        own = context.name("entity", subject, entity["name"])
        context.keys[entity["name"]] = Key(variable, name, dtype=chosen, feast=entity["join_key"])
        key = Call("fs.Field", (name, Code(chosen)))
        call = Call("fs.Entity", (own,), {"join_keys": [key], **about(entity)})
        context.write(subject, variable, call)


def _types(context: Context, entity: Record) -> Iterator[str]:
    """Yield the types of an entity's key: as declared, as views have it, and as files have it."""
    if declared := dtype(entity["type"]):
        yield declared
    files = {source["name"]: source for source in context.records("sources")}
    for view in context.records("views"):
        # Feast takes all keys of label views for texts.
        if entity["name"] not in view["entities"] or view["kind"] == "LabelView":
            continue
        columns = files.get(view["source"], {}).get("columns")
        for found in (*view["keys"], column_of(columns, entity["join_key"])):
            if found and found["name"] == entity["join_key"]:
                known = dtype(found["type"], found.get("stored", ""))
                yield from () if known is None else (known,)
