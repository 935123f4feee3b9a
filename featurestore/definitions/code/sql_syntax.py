"""Slips in SQL text that can be seen without Spark: an open quote or bracket, a misspelt keyword.

Only what Spark surely refuses is a problem here. Spark parses the text before a run.
"""

import difflib
import re

from featurestore.definitions.code.sql import normal_sql

_TOKEN = re.compile(
    r"""[rR]?'(?:[^'\\]|\\.|'')*'|[rR]?"(?:[^"\\]|\\.|"")*"|`(?:[^`]|``)*`|/\*\+.*?\*/"""
    r"""|\{\w+\}|\w+|\S""",
    re.DOTALL,
)
_BRACKETS = {")": "(", "]": "["}
_CLAUSES = frozenset(
    """
    as anti cluster cross distribute except fetch for full group having inner intersect join
    lateral left limit minus natural offset on order outer pivot qualify right semi sort
    tablesample timestamp union unpivot using version where window with
    """.upper().split()
)
_BEFORE_SOURCE = ("FROM", "JOIN")


def syntax_problem(text: str) -> str:
    """Return what is surely wrong with the syntax of a SQL transform; ``""`` if nothing is seen.

    Args:
        text: SQL with the placeholder ``{source}``.

    Example:
        >>> syntax_problem("SELECT * FROM {source} WHERE (x > 1")
        "a '(' is not closed"
        >>> syntax_problem("SELECT * FORM {source}")
        "{source} follows 'FORM'. Did you mean FROM?"
    """
    tokens = _TOKEN.findall(normal_sql(text))
    return _open_quote(tokens) or _brackets(tokens) or _around_source(tokens)


def _open_quote(tokens: list[str]) -> str:
    for token in tokens:
        if token in ("'", '"', "`"):
            return f"a quote {token} is not closed"
    return ""


def _brackets(tokens: list[str]) -> str:
    opened: list[str] = []
    for token in tokens:
        if token in _BRACKETS.values():
            opened.append(token)
        elif token in _BRACKETS and (not opened or opened.pop() != _BRACKETS[token]):
            return f"a {token!r} closes no {_BRACKETS[token]!r}"
    return f"a {opened[-1]!r} is not closed" if opened else ""


def _around_source(tokens: list[str]) -> str:
    for number, token in enumerate(tokens):
        if token != "{source}":
            continue
        before = tokens[number - 1] if number else ""
        if _is_word(before) and before.upper() not in (*_BEFORE_SOURCE, "TABLE"):
            near = _near(before, _BEFORE_SOURCE)
            return f"{{source}} follows {before!r}. {near or 'Write FROM {source}.'}"
        after = [each for each in tokens[number + 1 : number + 4] if each.upper() != "AS"]
        # A name behind the source is its alias; a second name is none.
        if len(after) > 1 and all(map(_is_name, after[:2])):
            near = _near(after[0], _CLAUSES)
            return f"{after[1]!r} follows the alias {after[0]!r} of {{source}}. {near}".strip()
    return ""


def _is_word(token: str) -> bool:
    return re.fullmatch(r"[A-Za-z_]\w*", token) is not None


def _is_name(token: str) -> bool:
    return _is_word(token) and token.upper() not in _CLAUSES


def _near(word: str, keywords: "frozenset[str] | tuple[str, ...]") -> str:
    close = difflib.get_close_matches(word.upper(), sorted(keywords), n=1)
    return f"Did you mean {close[0]}?" if close else ""
