"""What differs between two builds of a site, from the data of their pages."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from featurestore.errors import RequestError
from featurestore.site.addresses import API
from featurestore.site.folder import MARKER

# What follows from other fields, or is longer with each run.
_LEFT_OUT = frozenset({"schema", "snippets", "runs", "versions"})
# What each run changes, wherever it is.
_OF_RUNS = frozenset({"history", "run_id", "at", "last_run_at", "against", "found"})
_KEYS = ("source", "service", "name", "column", "feature", "measure", "field")
_KEYS_OF_GROUPS = ("view", "reach")


@dataclass(frozen=True)
class FieldDifference:
    """A field of a page's data that differs.

    Args:
        field: Its path, such as ``freshness.rows``.
        old: Its text in the old build; None if it is new.
        new: Its text in the new build; None if it is gone.
    """

    field: str
    old: str | None
    new: str | None


@dataclass(frozen=True)
class PageDifference:
    """A page that differs.

    Args:
        action: ``"added"``, ``"changed"`` or ``"removed"``.
        kind: The kind of what the page is about, such as ``"feature"``.
        name: Its name; of a feature with its view, of a column with its source.
        page: The path of the page.
        fields: The fields that differ; none of a page that is new or gone.
    """

    action: Literal["added", "changed", "removed"]
    kind: str
    name: str
    page: str
    fields: tuple[FieldDifference, ...] = ()


def compare_sites(old: Path, new: Path) -> list[PageDifference]:
    """Return what differs between two builds: pages of definitions, training sets and models.

    The moments of the builds do not count.

    Args:
        old: The folder of the older build.
        new: The folder of the newer build.

    Raises:
        RequestError: A folder is no site, or a file of it is gone or damaged.
    """
    call = f"docs compare {old} {new}"
    before, after = (_data_of_pages(folder, call) for folder in (old, new))
    # One page after the other: a site may have more data than fits into the memory.
    return [
        change
        for page in sorted(before.keys() | after.keys())
        if (change := _change(page, before.get(page), after.get(page), call)) is not None
    ]


def _change(page: str, old: Path | None, new: Path | None, call: str) -> PageDifference | None:
    one, other = (None if file is None else _read(file, call) for file in (old, new))
    if one == other:
        return None
    return _difference(page, _document(one), _document(other))


def _difference(
    page: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None
) -> PageDifference | None:
    document = new or old
    if document is None:
        return None
    kind, name = str(document["kind"]), _name(document)
    if old is None:
        return PageDifference("added", kind, name, page)
    if new is None:
        return PageDifference("removed", kind, name, page)
    before, after = dict(_fields(old)), dict(_fields(new))
    fields = tuple(
        FieldDifference(field, before.get(field), after.get(field))
        for field in (*after, *(gone for gone in before if gone not in after))
        if before.get(field) != after.get(field)
    )
    return PageDifference("changed", kind, name, page, fields) if fields else None


def _data_of_pages(folder: Path, call: str) -> dict[str, Path]:
    """Return the file with the data of each page, by the path of the page."""
    return {
        f"{file.removeprefix(f'{API}/').removesuffix('.json')}.html": folder / file
        for file in _files(folder, call)
        if file.startswith(f"{API}/") and file.endswith(".json")
    }


def _read(file: Path, call: str) -> object:
    try:
        return json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise RequestError(
            call,
            f"the file {file} cannot be read: {error}",
            "Build the site again: `featurestore docs build`.",
        ) from error


def _document(data: object) -> Mapping[str, Any] | None:
    """Return the data of a page that is about one thing; None for those of lists."""
    return data if isinstance(data, dict) and "kind" in data else None


def _files(folder: Path, call: str) -> list[str]:
    try:
        files = json.loads((folder / MARKER).read_text("utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RequestError(
            call,
            f"{folder} is no site: its file {MARKER} is missing or damaged",
            "Pass two folders that `featurestore docs build` has written.",
        ) from error
    # A changed marker must not name files elsewhere.
    inside = folder.resolve()
    return [str(file) for file in files if (folder / str(file)).resolve().is_relative_to(inside)]


def _name(document: Mapping[str, Any]) -> str:
    if document["kind"] == "column":
        return f"{document['source']}.{document['column']}"
    name = str(document.get("name", document.get("source", "")))
    return f"{document['view']}:{name}" if document["kind"] == "feature" else name


def _fields(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in document.items():
        if name not in _LEFT_OUT:
            yield from _flat(name, value)


def _flat(path: str, value: object) -> Iterator[tuple[str, str]]:
    """Yield the texts of a value: parts of objects apart, lists of plain values as one text."""
    if isinstance(value, dict):
        for name, part in value.items():
            if name not in _OF_RUNS:
                yield from _flat(f"{path}.{name}", part)
    elif isinstance(value, list) and any(isinstance(part, dict | list) for part in value):
        for key, part in zip(_keys(value), value, strict=True):
            yield from _flat(f"{path}[{key}]", part)
    elif isinstance(value, list):
        yield path, ", ".join(map(str, value))
    elif value is not None:
        yield path, value if isinstance(value, str) else json.dumps(value)


def _keys(parts: list[object]) -> Iterator[str]:
    """Yield what names each member of a list, so that a new one does not change all that follow.

    No two members have the same one: one of the two would hide the other.
    """
    seen: Counter[str] = Counter()
    for number, part in enumerate(parts):
        key = _key(part, number)
        seen[key] += 1
        yield key if seen[key] == 1 else f"{key}#{seen[key]}"


def _key(part: object, number: int) -> str:
    if isinstance(part, dict):
        for names in (_KEYS, _KEYS_OF_GROUPS):
            if found := [part[name] for name in names if isinstance(part.get(name), str)]:
                return ".".join(found)
    return str(number)
