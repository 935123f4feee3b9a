"""The differences between two manifests, field by field, and which of them break readers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from featurestore.definitions.model.manifest import Definition, Manifest
from featurestore.registry.facts import Facts, facts

Action = Literal["added", "changed", "removed"]
Kind = Literal["entity", "source", "view", "on-demand view", "service"]

_SECTIONS: Mapping[str, Kind] = {
    "entities": "entity",
    "sources": "source",
    "views": "view",
    "on_demand_views": "on-demand view",
    "services": "service",
}
# No feature's value depends on these fields.
_LABELS = (
    *("description", "owner", "tags", "latest", "schedule"),
    *("expectations", "schema_contract", "drift", "profile", "entities"),
)
# Parts of a column's facts on which no value depends.
_NOTES = (".description", ".personal")
_READ = ("view", "on-demand view", "service")
_LISTS = ("features", "schema", "join_keys")
_REASONS = {
    ("view", "join_keys"): "its key changes",
    ("entity", "join_keys"): "its key changes",
    ("source", "type"): "its rows change",
}


@dataclass(frozen=True)
class Detail:
    """One field that differs.

    Args:
        field: The field's name, such as ``ttl`` or ``features.amount_sum_7d``.
        old: The applied value; None for a new field.
        new: The declared value; None for a removed field.
        breaking: Why the change breaks readers or changes their values; ``""`` if it does not.
    """

    field: str
    old: str | None
    new: str | None
    breaking: str = ""


@dataclass(frozen=True)
class Change:
    """One definition that differs.

    Args:
        action: ``"added"``, ``"changed"`` or ``"removed"``.
        kind: ``"entity"``, ``"source"``, ``"view"``, ``"on-demand view"`` or ``"service"``.
        name: The definition's name.
        details: The fields that differ; all fields of a new or removed definition.
        removal: Why its removal breaks readers; ``""`` if it does not.
    """

    action: Action
    kind: Kind
    name: str
    details: tuple[Detail, ...] = ()
    removal: str = ""

    @property
    def is_breaking(self) -> bool:
        """Whether the change breaks readers of the old definition, or changes their values."""
        return bool(self.removal) or any(detail.breaking for detail in self.details)


def diff(applied: Manifest, declared: Manifest) -> tuple[Change, ...]:
    """Return the changes from the applied to the declared definitions, by kind and name.

    Example:
        >>> diff(Manifest(), Manifest())
        ()
    """
    return tuple(
        change
        for section, kind in _SECTIONS.items()
        for change in _changes(kind, getattr(applied, section), getattr(declared, section))
    )


def _changes(
    kind: Kind, applied: tuple[Definition, ...], declared: tuple[Definition, ...]
) -> Iterator[Change]:
    old = {definition.name: facts(definition) for definition in applied}
    new = {definition.name: facts(definition) for definition in declared}
    for name in sorted(old.keys() | new.keys()):
        if name not in old:
            details = tuple(Detail(field, None, text) for field, text in new[name].items())
            yield Change("added", kind, name, details)
        elif name not in new:
            details = tuple(Detail(field, text, None) for field, text in old[name].items())
            removal = "its readers fail" if kind in _READ else ""
            yield Change("removed", kind, name, details, removal)
        elif details := tuple(_details(kind, old[name], new[name])):
            yield Change("changed", kind, name, details)


def _details(kind: Kind, old: Facts, new: Facts) -> Iterator[Detail]:
    windowed = any(field.startswith("features.") for field in (*old, *new))
    for field in (*new, *(gone for gone in old if gone not in new)):
        before, after = old.get(field), new.get(field)
        if before != after:
            inputs = kind == "view" and windowed and field.startswith("schema.")
            reason = "" if inputs else _breaking(kind, field, before, after)
            yield Detail(field, before, after, reason)
    yield from _reordered(kind, old, new)


def _reordered(kind: Kind, old: Facts, new: Facts) -> Iterator[Detail]:
    """Yield a changed order of common features: matrices are read by position."""
    for group in _LISTS:
        before, after = _members(group, old, new), _members(group, new, old)
        if before != after:
            reason = "" if kind == "source" else "their order changes"
            yield Detail(f"order of {group}", ", ".join(before), ", ".join(after), reason)


def _members(group: str, one: Facts, other: Facts) -> list[str]:
    """Return the members of a list in one definition that the other has too."""
    return [
        field.removeprefix(f"{group}.")
        for field in one
        if field.startswith(f"{group}.") and field in other and not field.endswith(_NOTES)
    ]


def _breaking(kind: Kind, field: str, before: str | None, after: str | None) -> str:
    group = field.partition(".")[0]
    if group in _LABELS or field.endswith(_NOTES):
        return ""
    if (kind, group) in _REASONS:
        return _REASONS[kind, group]
    if group in _LISTS:
        return _breaking_member(group, before, after)
    if group == "inputs" and (before is None or after is None):
        return "requests must contain it" if "(request)" in (after or "") else ""
    return "its rows change" if kind == "source" else "values change"


def _breaking_member(group: str, before: str | None, after: str | None) -> str:
    if before is None:
        return ""
    if after is None:
        return "it is removed"
    return "its type changes" if group == "schema" else "its values change"
