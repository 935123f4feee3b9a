"""`Plan`: the changes from the applied to the declared definitions, known before one is made."""

from collections.abc import Iterator
from dataclasses import dataclass

from featurestore.definitions.code.fingerprint import LABELS, table_fingerprint
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.rules.issue import NO_DATA, Issue
from featurestore.notebook import html_lines
from featurestore.registry.codec import canonical_json, decode, encode, fingerprint
from featurestore.registry.diff import Change, Detail, diff
from featurestore.registry.version import RegistryVersion

_SIGNS = {"added": "+", "changed": "~", "removed": "-"}
# What follows from a changed field, where a reader could expect more.
_NO_BUILD = " (no table is built for it)"
_NOTES = dict.fromkeys(("schedule", "schema_contract", "drift"), _NO_BUILD)


@dataclass(frozen=True)
class Plan:
    """The changes that `Registry.apply` makes, to exactly one version of the registry.

    Args:
        base_version: The applied version that the plan changes; 0 if nothing is applied.
        changes: The definitions that differ.
        builds: The views whose feature tables must be built, because their stored rows change.
        digest: The fingerprint of all declared definitions.
        document: All declared definitions, as canonical JSON.
        source_issues: What is wrong with the sources' newest data, each with file and line. It
            does not change what `Registry.apply` does.
        taken_up: The views among ``builds`` that have an earlier definition again. The next run
            takes up the table of that definition, and reads only the rows that came since.
    """

    base_version: int
    changes: tuple[Change, ...]
    builds: tuple[str, ...]
    digest: str
    document: str
    source_issues: tuple[Issue, ...] = ()
    taken_up: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the plan changes nothing."""
        return not self.changes and not self.builds

    def __str__(self) -> str:
        """Return the whole plan as text, as the command line prints it."""
        return "\n".join(render(self))

    def __repr__(self) -> str:
        """Return the summary of the plan in one line."""
        if self.is_empty:
            return "Plan(no changes)"
        return f"Plan({' '.join(_summary(self))})"

    def _repr_html_(self) -> str:
        return html_lines(render(self))

    @property
    def rebuilds(self) -> tuple[str, ...]:
        """The views among ``builds`` that were applied before, so that they may have a table."""
        new = {each.name for each in self.changes if (each.action, each.kind) == ("added", "view")}
        return tuple(name for name in self.builds if name not in new)

    @property
    def breaking(self) -> tuple[Change, ...]:
        """The changes that break readers or change their values."""
        return tuple(change for change in self.changes if change.is_breaking)


def plan(current: RegistryVersion | None, loaded: Manifest) -> Plan:
    """Return the changes from the applied to the loaded definitions.

    Args:
        current: The registry's latest version; None if nothing is applied.
        loaded: The declared definitions, from `load`.

    Example:
        >>> plan(None, Manifest()).is_empty
        True
    """
    document = encode(loaded)
    # Both sides are decoded from JSON, so that a plan that was just applied is empty.
    declared, applied = decode(document), current.manifest if current else Manifest()
    return Plan(
        base_version=current.version if current else 0,
        changes=diff(applied, declared),
        builds=tuple(built_tables(applied, declared)),
        digest=fingerprint(declared),
        document=canonical_json(document),
    )


def headline(change: Change) -> str:
    """Return a change in one line: its sign, kind and name.

    Example:
        >>> headline(Change("added", "view", "card_activity"))
        '+ view card_activity'
    """
    return f"{_SIGNS[change.action]} {change.kind} {change.name}"


def render(made: Plan) -> list[str]:
    """Return a plan as lines of text, each with a sign: ``+``, ``~`` or ``-``.

    Example:
        >>> render(plan(None, Manifest()))
        ['There are no definitions yet. Write them to the folder of definitions.']
    """
    if made.is_empty and not made.base_version:
        lines = ["There are no definitions yet. Write them to the folder of definitions."]
    elif made.is_empty:
        lines = [f"No changes: the definitions equal the applied version {made.base_version}."]
    else:
        lines = [*_tree(made), "", *_summary(made)]
    # Where nothing changes, data that is elsewhere is no news: a reader's machine has none.
    issues = [each for each in made.source_issues if not made.is_empty or each.rule != NO_DATA]
    return [*lines, *(["", "Sources:"] if issues else []), *(f"    {each}" for each in issues)]


def built_tables(applied: Manifest, declared: Manifest) -> Iterator[str]:
    """Yield the views whose tables are built anew by a change of the definitions.

    Args:
        applied: The definitions before.
        declared: The definitions after.

    Example:
        >>> list(built_tables(Manifest(), Manifest()))
        []
    """
    stored = {view.name: table_fingerprint(view) for view in applied.views}
    for view in declared.views:
        if stored.get(view.name) != table_fingerprint(view):
            yield view.name


def _tree(made: Plan) -> Iterator[str]:
    for change in made.changes:
        notes = (_breaks(change.removal), _build_note(made, change))
        yield f"{headline(change)}{''.join(notes)}"
        if change.action == "added":
            yield from _summary_of_fields(change)
        elif change.action == "changed":
            yield from map(_line, change.details)


def _build_note(made: Plan, change: Change) -> str:
    if change.kind != "view" or change.name not in made.builds:
        return ""
    return f" ({'takes up its earlier' if change.name in made.taken_up else 'builds its'} table)"


def _summary_of_fields(change: Change) -> Iterator[str]:
    """Yield the fields of a new definition, without labels; each list of names is one line."""
    groups: dict[str, list[str]] = {}
    for detail in change.details:
        group, _, member = detail.field.partition(".")
        if group not in (*LABELS, "type") and not member.endswith(".description"):
            groups.setdefault(group, []).append(_member(group, member, detail.new or ""))
    if change.kind == "on-demand view":
        groups = {"sources": [], **groups} | {"sources": _input_sources(change)}
    for group, members in groups.items():
        yield f"    + {group}: {_short(', '.join(members))}"


def _member(group: str, member: str, new: str) -> str:
    """Return the name of a part of a field, with the value where the name does not say enough."""
    if group != "expectations" or not member:
        return member or new
    if member == "max_bad_share":
        return f"{member} {new}"
    severity = new.rpartition(": ")[2].partition(" ")[0]
    return member if severity == "drop" else f"{member} ({severity})"


def _input_sources(change: Change) -> list[str]:
    """Return the views and then the request sources that a new on-demand view reads."""
    inputs = [each.new or "" for each in change.details if each.field.startswith("inputs.")]
    names = (text.partition(":")[0].removesuffix(" (request)") for text in inputs)
    return list(dict.fromkeys(names))


def _line(detail: Detail) -> str:
    breaks = _breaks(detail.breaking) or _NOTES.get(detail.field.partition(".")[0], "")
    old, new = _short_pair(detail.old, detail.new)
    if detail.old is None:
        return f"    + {detail.field}: {new}{breaks}"
    if detail.new is None:
        return f"    - {detail.field}: {old}{breaks}"
    return f"    ~ {detail.field}: {old} -> {new}{breaks}"


def _short(text: str | None, width: int = 100) -> str:
    line = " ".join((text or "").split())
    return line if len(line) <= width else f"{line[: width - 3]}..."


def _short_pair(old: str | None, new: str | None, width: int = 100) -> tuple[str, str]:
    """Return both texts, shortened so that they show where they differ first."""
    before, after = (" ".join((text or "").split()) for text in (old, new))
    pairs = enumerate(zip(before, after, strict=False))
    first = next((i for i, (a, b) in pairs if a != b), 0)
    start = 0 if first < width // 2 else first - width // 3
    cut = "..." if start else ""
    return f"{cut}{_short(before[start:], width)}", f"{cut}{_short(after[start:], width)}"


def _breaks(reason: str) -> str:
    return f" (breaking: {reason})" if reason else ""


def _summary(made: Plan) -> Iterator[str]:
    counts = {action: sum(change.action == action for change in made.changes) for action in _SIGNS}
    actions = ", ".join(f"{count} {action}" for action, count in counts.items() if count)
    yield f"Changes: {actions}; {len(made.breaking)} breaking."
    if builds := [name for name in made.builds if name not in made.taken_up]:
        yield f"Tables to build: {len(builds)} ({', '.join(builds)})."
    if made.taken_up:
        names = f"{len(made.taken_up)} ({', '.join(made.taken_up)})"
        yield f"Earlier tables to take up: {names}. Only rows that came since are read."
        yield "A run that cannot take one up builds a new table, or says why not."
    if made.rebuilds:
        yield "Until then, a view that has a table is answered as before, without new features."
