"""What differs between two manifests, field by field, and what of it breaks those who read."""

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
# Nothing that is computed depends on these.
_LABELS = ("description", "owner", "tags", "latest", "entities")
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
        field: Its name, such as ``ttl`` or ``features.amount_sum_7d``.
        old: What was applied; None where it is new.
        new: What is declared; None where it is gone.
        breaking: Why readers of the old one break, or get other values; else ``""``.
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
        details: The fields that differ; of a new or removed definition all that it says.
        removal: Why its removal breaks readers; else ``""``.
    """

    action: Action
    kind: Kind
    name: str
    details: tuple[Detail, ...] = ()
    removal: str = ""

    @property
    def is_breaking(self) -> bool:
        """Whether those who read the old definition break, or get other values."""
        return bool(self.removal) or any(detail.breaking for detail in self.details)


def diff(current: Manifest, wanted: Manifest) -> tuple[Change, ...]:
    """Return what must change in ``current`` to make it ``wanted``, by kind and name.

    Example:
        >>> diff(Manifest(), Manifest())
        ()
    """
    return tuple(
        change
        for section, kind in _SECTIONS.items()
        for change in _changes(kind, getattr(current, section), getattr(wanted, section))
    )


def _changes(
    kind: Kind, current: tuple[Definition, ...], wanted: tuple[Definition, ...]
) -> Iterator[Change]:
    old = {definition.name: facts(definition) for definition in current}
    new = {definition.name: facts(definition) for definition in wanted}
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
    """Yield a changed order of the features that both have: matrices are read by position."""
    for group in _LISTS:
        before, after = (_members(group, said, other) for said, other in ((old, new), (new, old)))
        if before != after:
            reason = "" if kind == "source" else "their order changes"
            yield Detail(f"order of {group}", ", ".join(before), ", ".join(after), reason)


def _members(group: str, said: Facts, other: Facts) -> list[str]:
    return [
        field.removeprefix(f"{group}.")
        for field in said
        if field.startswith(f"{group}.") and field in other and not field.endswith(".description")
    ]


def _breaking(kind: Kind, field: str, before: str | None, after: str | None) -> str:
    group = field.partition(".")[0]
    if group in _LABELS or field.endswith(".description"):
        return ""
    if (kind, group) in _REASONS:
        return _REASONS[kind, group]
    if group in _LISTS:
        return _breaking_member(group, before, after)
    if group == "inputs" and (before is None or after is None):
        return "readers must give it" if "(request)" in (after or "") else ""
    return "its rows change" if kind == "source" else "values change"


def _breaking_member(group: str, before: str | None, after: str | None) -> str:
    if before is None:
        return ""
    if after is None:
        return "it is removed"
    return "its type changes" if group == "schema" else "its values change"
