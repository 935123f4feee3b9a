"""Calls as formatted Python: in one line if it fits, else with one argument a line."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

WIDTH = 88
_INDENT = "    "


@dataclass(frozen=True)
class Code:
    """A text that is Python already, such as the name of a variable.

    Args:
        text: The text, in one line.
    """

    text: str


@dataclass(frozen=True)
class Sql:
    """A query, written over several lines.

    Args:
        lines: Its lines.
    """

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Call:
    """The call of a function or of a class.

    Args:
        function: Its name, such as ``fs.Entity``.
        arguments: The arguments without names.
        keywords: The arguments with names. Those that are None or empty are not written.
    """

    function: str
    arguments: "Sequence[Expression]" = ()
    keywords: "Mapping[str, Expression]" = field(default_factory=dict)


Expression = (
    Call | Code | Sql | str | int | None | Sequence["Expression"] | Mapping[str, "Expression"]
)


def assigned(name: str, value: Expression) -> str:
    """Return the assignment of an expression to a variable.

    Example:
        >>> print(assigned("driver", Call("fs.Entity", ("driver",), {"owner": "", "tags": ["a"]})))
        driver = fs.Entity("driver", tags=["a"])
    """
    prefix = f"{name} = "
    return prefix + written(value, 0, len(prefix))


def written(value: Expression, depth: int, taken: int) -> str:
    """Return an expression as Python.

    Args:
        value: The expression.
        depth: How far its line is indented, in steps of four blanks.
        taken: The characters of its line that are taken, before and after it.
    """
    line = _line(value)
    if line is not None and taken + len(line) <= WIDTH:
        return line
    inner = _INDENT * (depth + 1)
    if isinstance(value, Sql):
        lines = (each.replace("\\", "\\\\").replace('"""', r"\"\"\"") for each in value.lines)
        text = "".join(f"{inner}{each}\n" for each in lines)
        return f'"""\n{text}{_INDENT * depth}"""'
    opening, parts, closing = _parts(value)
    if not parts:
        return line or f"{opening}{closing}"
    rows = [
        f"{inner}{name}{written(part, depth + 1, len(inner) + len(name) + 1)},\n"
        for name, part in parts
    ]
    return f"{opening}\n{''.join(rows)}{_INDENT * depth}{closing}"


def text(value: str) -> str:
    r"""Return a text as Python, in double quotes unless that needs more escapes.

    Example:
        >>> print(text("it's"), text('a "b"'), text("\n"))
        "it's" 'a "b"' "\n"
    """
    quoted = json.dumps(value, ensure_ascii=False)  # Python reads all escapes of JSON's texts
    return repr(value) if '"' in value and "'" not in value else quoted


def _line(value: Expression) -> str | None:
    """Return an expression in one line; None if it has several."""
    if isinstance(value, Sql):
        return None
    if isinstance(value, Code):
        return value.text
    if isinstance(value, str):
        return text(value)
    if isinstance(value, int | None):
        return repr(value)
    opening, parts, closing = _parts(value)
    lines = [_line(part) for _, part in parts]
    if any(line is None for line in lines):
        return None
    inner = ", ".join(f"{name}{line}" for (name, _), line in zip(parts, lines, strict=True))
    return f"{opening}{inner}{closing}"


def _parts(value: Expression) -> tuple[str, list[tuple[str, Expression]], str]:
    """Return what opens an expression, its parts with what stands before each, and its end."""
    if isinstance(value, Call):
        named = [(f"{name}=", each) for name, each in value.keywords.items() if _is_written(each)]
        return f"{value.function}(", [*(("", each) for each in value.arguments), *named], ")"
    if isinstance(value, Mapping):
        return "{", [(f"{text(name)}: ", each) for name, each in value.items()], "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[", [("", each) for each in value], "]"
    return "", [], ""


def _is_written(value: Expression) -> bool:
    return not (value is None or value == "" or value == () or value == [])
