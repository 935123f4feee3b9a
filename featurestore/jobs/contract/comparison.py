"""Two schemas side by side, as text: one line a column, at most 80 characters wide."""

from collections.abc import Sequence

from featurestore.jobs.contract.changes import Change, Column, Kind, Schema

_SIGNS: dict[Kind, str] = {
    "added": "+",
    "dropped": "-",
    "renamed": "->",
    "retyped": "~",
    "moved": "~",
}
_WIDEST = (26, 23, 22)  # with the signs and the blanks between them 79 characters
_SAME = 8  # so many columns that stayed are shown


def side_by_side(
    before: Schema, now: Schema, changes: Sequence[Change], *, head: str = "before"
) -> str:
    """Return a table of a source's columns before and now.

    Changed columns have a sign: ``+`` added, ``-`` dropped, ``->`` renamed, ``~`` another type or
    another position.

    Args:
        before: The columns before.
        now: The columns now.
        changes: All differences.
        head: The heading of the columns before.

    Example:
        >>> old, new = Column("v", "Int64"), Column("v", "String")
        >>> print(side_by_side((old,), (new,), [Change("retyped", old, new)]))
           column  before  now
        ~  v       Int64   String
        1 of 1 columns differs.
    """
    changed = {change.column.name: change for change in changes}
    same = [each for each in before if each.name not in changed]
    shown = same if len(same) <= _SAME + 1 else same[:_SAME]
    rows = [("", "column", head, "now")]
    for each in before:
        if each.name in changed:
            rows.append(_changed(changed[each.name], before, now))
        elif each in shown:
            rows.append(("", each.name, each.type, each.type))
    rows += [_changed(each, before, now) for each in changes if each.before is None]
    widths = [
        min(max(len(row[at + 1]) for row in rows), widest) for at, widest in enumerate(_WIDEST)
    ]
    lines = [_line(row, widths) for row in rows]
    if len(shown) < len(same):
        lines.append(f"   ... {len(same) - len(shown)} more columns are the same")
    total = len(before) + sum(each.before is None for each in changes)
    differ = "differs" if len(changes) == 1 else "differ"
    return "\n".join([*lines, f"{len(changes)} of {total} columns {differ}."])


def described(changes: Sequence[Change]) -> str:
    """Return changes as one clause.

    Example:
        >>> described([Change("added", None, Column("w", "Int64"))])
        'added w (Int64)'
    """
    return ", ".join(_described(change) for change in changes)


def _described(change: Change) -> str:
    old, new = change.before, change.now
    if change.kind == "retyped" and old and new:
        return f"retyped {old.name} ({old.type} -> {new.type})"
    if change.kind == "renamed" and old and new:
        return f"renamed {old.name} -> {new.name}"
    if change.kind == "moved":
        return f"moved {change.column.name}"
    return f"{change.kind} {change.column.name} ({change.column.type})"


def _changed(change: Change, before: Schema, now: Schema) -> tuple[str, str, str, str]:
    old, new, sign = change.before, change.now, _SIGNS[change.kind]
    if change.kind == "moved" and old and new:
        was, is_now = _position(old, before), _position(new, now)
        return sign, old.name, f"{old.type}, {was}", f"{new.type}, {is_now}"
    if change.kind == "renamed" and old and new:
        return sign, old.name, old.type, new.name
    return sign, change.column.name, old.type if old else "", new.type if new else ""


def _position(column: Column, schema: Schema) -> str:
    return f"column {schema.index(column) + 1}"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    sign, *cells = row
    texts = [_cut(text, width).ljust(width) for text, width in zip(cells, widths, strict=True)]
    return f"{sign.ljust(2)} {'  '.join(texts)}".rstrip()


def _cut(text: str, width: int) -> str:
    """Return a text of at most so many characters: its end, too, tells it from others."""
    text = "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
    if len(text) <= width:
        return text
    end = (width - 3) // 2
    return f"{text[: width - 3 - end]}...{text[-end:]}"
