"""From the JSON of a Feast repository to definitions: the text of a Python module, and notes."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from featurestore.integrations.feast.translation.columns import Record
from featurestore.integrations.feast.translation.context import Context
from featurestore.integrations.feast.translation.entities import write_entities
from featurestore.integrations.feast.translation.names import plain
from featurestore.integrations.feast.translation.notes import Note, comment_lines
from featurestore.integrations.feast.translation.on_demand import (
    reserve_names,
    write_on_demand_views,
)
from featurestore.integrations.feast.translation.services import write_services
from featurestore.integrations.feast.translation.views import write_views

MARK = "Written by `featurestore import feast`"
_GENERAL = (
    "Files are read once: new files are new rows. A file that is written again needs "
    "`featurestore materialize VIEW --full` (docs/sources.md).",
    "Of rows with one event time and nothing that orders them, the same one counts in each run. "
    "Feast takes any of them.",
)
_SETTINGS = {
    "online_store": "the newest values come from Delta tables (get_latest_features).",
    "batch_engine": "Spark builds the tables.",
}


@dataclass(frozen=True)
class Translation:
    """Definitions that were made of a Feast repository.

    Args:
        text: The text of a Python module.
        definitions: The number of its definitions.
        notes: What is the same, what has another meaning, and what is left out.
    """

    text: str
    definitions: int
    notes: tuple[Note, ...]


def translate(repository: Record, folder: str) -> Translation:
    """Return a Feast repository's definitions in our Python. Feast is not needed.

    Args:
        repository: The objects of the repository, as the program in Feast's environment wrote
            them.
        folder: The repository's folder, relative to the project's, or absolute: paths of sources
            begin with it.

    Example:
        >>> driver = {"name": "driver", "kind": "Entity", "join_key": "driver_id", "type": "Int64"}
        >>> made = translate({"feast": "0.67.0", "settings": {}, "entities": [driver]}, "rides")
        >>> print(made.text.splitlines()[-1])
        driver = fs.Entity("driver", join_keys=[fs.Field("driver_id", fs.Int64)])
    """
    context = Context(repository, folder)
    reserve_names(context)
    write_entities(context)
    write_views(context)
    write_on_demand_views(context)
    write_services(context)
    _note_the_rest(context)
    return Translation(_module(context), len(context.written), tuple(context.notes.notes))


def _note_the_rest(context: Context) -> None:
    """Note what no definition was made of: sources without a view, settings, permissions."""
    batch = {each["batch_source"] for each in context.records("sources")}
    noted = {note.subject for note in context.notes.notes}
    for source in context.records("sources"):
        subject = f"source {source['name']}"
        is_written = source["name"] in context.sources or subject in noted
        if is_written or source["name"] in batch:
            continue
        reason = "No view that is written uses it."
        if source["batch_source"]:
            reason = f"{source['kind']}: rows come from {source['batch_source']!r} only."
        context.notes.left_out(subject, reason)
    for other in context.records("others"):
        reason = "Tables are plain Delta: use the rights of the storage."
        context.notes.left_out(f"{other['kind'].lower()} {other['name']}", reason)
    for name, reason in _SETTINGS.items():
        if value := context.repository.get("settings", {}).get(name):
            context.notes.left_out(f"setting {name} ({value})", f"There is none: {reason}")


def _module(context: Context) -> str:
    """Return the text of the module: a docstring, imports, and the definitions."""
    name = plain(PurePosixPath(context.folder).name or "feast")
    version = context.repository["feast"]
    about = [f'"""Definitions of the Feast repository {name!r}.', "", f"{MARK} (Feast {version})."]
    general = comment_lines([Note("changed", "", reason) for reason in _GENERAL])
    missing = [
        Note("left out", "", f"{_upper(note.subject)}. {note.reason}")
        for note in context.notes.notes
        if note.kind == "left out" and note.subject not in context.written
    ]
    head = "\n".join([*about, '"""', "", *sorted(context.imports), "", *general])
    if missing:
        head += "\n" + "\n".join(comment_lines(missing))
    text = head
    for earlier, block in zip(["", *context.blocks], context.blocks, strict=False):
        text += ("\n\n\n" if _is_function(block) or _is_function(earlier) else "\n\n") + block
    return text + "\n"


def _is_function(block: str) -> bool:
    return block.startswith(("def ", "@"))


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
