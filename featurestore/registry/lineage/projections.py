"""The projections of a SELECT: the names of their columns, and which make several rows of one."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp

# Functions that make several rows, or several columns, of one row; the parser knows some of them.
_GENERATORS = frozenset(
    {
        "explode",
        "explode_outer",
        "inline",
        "inline_outer",
        "json_tuple",
        "parse_url_tuple",
        "posexplode",
        "posexplode_outer",
        "stack",
        "variant_explode",
        "variant_explode_outer",
    }
)


def names_of(projection: "exp.Expression") -> list[str]:
    """Return the names of a projection's columns; ``""`` for one that Spark names by its text.

    Example:
        >>> from sqlglot import parse_one
        >>> [names_of(each) for each in parse_one("SELECT a.b, a + 1, c AS d").expressions]
        [['b'], [''], ['d']]
    """
    from sqlglot import exp  # noqa: PLC0415 - 0.2 s, which no read of features needs

    if isinstance(projection, exp.Aliases):
        return [each.name for each in projection.expressions]
    own = projection.unnest()
    if isinstance(own, exp.Cast):  # Spark gives it the name of the column
        own = own.this
    return [projection.alias or (own.name if isinstance(own, exp.Column | exp.Dot) else "")]


def generates(projection: "exp.Expression") -> bool:
    """Return whether a projection makes several rows, or several columns, of one row.

    Example:
        >>> from sqlglot import parse_one
        >>> generates(parse_one("inline_outer(items)", dialect="spark"))
        True
    """
    from sqlglot import exp  # noqa: PLC0415 - as above

    if isinstance(projection, exp.Aliases):
        return True
    return any(
        isinstance(each, exp.UDTF | exp.Explode | exp.Posexplode | exp.Inline)
        or (each.name if isinstance(each, exp.Anonymous) else each.sql_name()).lower()
        in _GENERATORS
        for each in projection.find_all(exp.Func)
    )
