"""Names and texts in SQL, quoted. No other module quotes, and no text is put into SQL unquoted.

Each function is injective, and what it returns is one token of its dialect whatever the name has
in it. Where a dialect has parameters, values are bound instead.
"""

from featurestore.errors import RequestError


def spark_name(name: str) -> str:
    """Return a column's or a table's name as an identifier of Spark SQL.

    It is for `F.col` and `select`: in a statement, Spark replaces ``${name}`` even in backticks.

    Raises:
        RequestError: The name has a lone surrogate, which is no character.

    Example:
        >>> spark_name("a`b.c")
        '`a``b.c`'
    """
    return _quoted(name, "`")


def duckdb_name(name: str) -> str:
    """Return a column's or a table's name as an identifier of DuckDB.

    Raises:
        RequestError: The name has a lone surrogate, or a NUL, which ends DuckDB's texts.

    Example:
        >>> duckdb_name('a"b.c')
        '"a""b.c"'
    """
    _require_no_nul(name)
    return _quoted(name, '"')


def delta_text(value: str) -> str:
    """Return a text as a literal in a condition of delta-rs, which has no parameters.

    Raises:
        RequestError: The text has a lone surrogate or a NUL.

    Example:
        >>> delta_text("it's")
        "'it''s'"
    """
    _require_no_nul(value)
    return _quoted(value, "'")


def _quoted(text: str, mark: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise RequestError(
            f"quote {text!r} for SQL",
            f"the character at position {error.start} is a lone surrogate",
            "Rename it: write valid Unicode.",
        ) from None
    return mark + text.replace(mark, mark * 2) + mark


def _require_no_nul(text: str) -> None:
    if "\x00" in text:
        raise RequestError(
            f"quote {text!r} for SQL",
            f"the character at position {text.index(chr(0))} is NUL",
            "Rename it without that character.",
        )
