"""SQL text in a normal form: without comments, line breaks and the case of keywords."""

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<comment>--(?:\\\n|[^\n])*)
    |(?P<text>[rR]'[^']*'|[rR]"[^"]*"|'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*")
    |(?P<name>`(?:[^`]|``)*`|\{\w+\})
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\w*)
    |(?P<word>\w+)
    |(?P<sign><=>|>>>|>>|<<|<=|>=|<>|!=|==|\|\||\|>|->|=>|::|.)""",
    re.VERBOSE | re.DOTALL,
)
_KEYWORDS = frozenset(
    """
    all and anti any as asc between by case cast cross desc distinct else end escape except exists
    false filter following from full group having ilike in inner intersect interval is join
    lateral left like limit minus natural not null nulls offset on or order outer over partition
    preceding qualify range right rlike rows select semi some table tablesample then true unbounded
    union unpivot using values view when where window with
    """.upper().split()
)
# Without a space before a parenthesis, as a function.
_CALLED = frozenset({"CAST"})
_OWN = frozenset({"{source}", "("})
_SET = frozenset({"SELECT", "ALL", "DISTINCT"})
_UNSTABLE = frozenset(
    """
    rand randn random uuid now current_timestamp current_date current_time curdate localtimestamp
    input_file_name monotonically_increasing_id spark_partition_id shuffle current_user
    """.upper().split()
)
# The name of a table follows, with its columns in parentheses.
_NAMING = frozenset({"AS", "WITH"})
# Spark replaces these by the time at which it parses them, as in DATE 'today'.
_MOMENTS = frozenset({"now", "today", "tomorrow", "yesterday"})
_TIME_TYPES = frozenset({"DATE", "TIMESTAMP", "TIMESTAMP_LTZ", "TIMESTAMP_NTZ"})
_FORMATS = frozenset({"csv", "delta", "json", "orc", "parquet", "text"})
_NO_SPACE_AFTER = frozenset({"(", ".", "[", "::"})
_NO_SPACE_BEFORE = frozenset({")", ",", ".", "]", "[", "::"})


def normal_sql(text: str) -> str:
    r"""Return SQL in a normal form. Texts that differ in layout alone have the same one.

    Comments go, layout is unified, and keywords are written in capitals. Texts, names and hints
    stay as they are: the case of a name is part of the result.

    Args:
        text: SQL of Spark.

    Example:
        >>> normal_sql("select k,  upper( 'a--b' ) as u -- why\nfrom {source};")
        "SELECT k, upper('a--b') AS u FROM {source}"
    """
    tokens = _query(text)
    parts: list[str] = []
    for number, (kind, token) in enumerate(tokens):
        before = tokens[number - 1][1] if number else "("
        after = tokens[number + 1][1] if number + 1 < len(tokens) else ""
        is_name = kind != "word" or before.upper() == "AS" or "." in (before, after)
        parts.append(token if is_name or token.upper() not in _KEYWORDS else token.upper())
    return _spaced(tokens, parts)


def without_comments(text: str) -> str:
    """Return SQL without comments and a semicolon at its end; all words stay as they are.

    This text can run. The normal form cannot: a column may have the name of a keyword, such as
    ``offset`` or ``window``, and Spark names columns as the query writes them.

    Args:
        text: SQL of Spark.

    Example:
        >>> without_comments("select k, offset -- of Kafka")
        'select k, offset'
    """
    tokens = _query(text)
    return _spaced(tokens, [token for _, token in tokens])


def first_words(text: str) -> list[str]:
    """Return the first word of each statement of a text, in capitals.

    Example:
        >>> first_words("/* all */ select 1; drop table x;")
        ['SELECT', 'DROP']
    """
    words, before = [], ";"
    for _, token in _tokens(text):
        if before == ";" != token:
            words.append(token.upper())
        before = token
    return words


def combining_clause(text: str) -> str:
    """Return a clause by which a query combines rows of ``{source}``; ``""`` if none is sure.

    Nothing is sure if the query reads another table too: the clause may be about that table.

    Args:
        text: SQL of Spark.

    Example:
        >>> combining_clause("SELECT k, lag(v) OVER (ORDER BY t) AS v FROM {source}")
        'OVER'
        >>> combining_clause("SELECT k, (SELECT max(x) FROM other GROUP BY x) FROM {source}")
        ''
    """
    words = [token.upper() if kind == "word" else token for kind, token in _tokens(text)]
    triples = list(zip(["", *words], words, [*words[1:], ""], strict=False))
    if any(word in ("FROM", "JOIN") and after not in _OWN for _, word, after in triples):
        return ""
    return next((word for triple in triples if (word := _combining(*triple))), "")


def unstable_function(text: str) -> str:
    """Return a function in a query that gives another result in each run; ``""`` for none.

    Args:
        text: SQL of Spark.

    Example:
        >>> unstable_function("SELECT *, now() AS loaded FROM {source}")
        'now()'
    """
    tokens = [("", ""), *_tokens(text), ("", "")]
    for (_, before), (kind, token), (_, after) in zip(
        tokens, tokens[1:], tokens[2:], strict=False
    ):
        is_called = after == "(" and before.upper() not in _NAMING
        if kind == "word" and token.upper() in _UNSTABLE and is_called:
            return f"{token}()"
        is_moment = after.strip("'\" \t").lower() in _MOMENTS and after[:1] in ("'", '"')
        if kind == "word" and token.upper() in _TIME_TYPES and is_moment:
            return f"{token} {after}"
    return ""


def tables_by_path(text: str) -> list[str]:
    """Return the paths that a query reads as tables, such as those of ``delta.`/data/x```.

    Args:
        text: SQL of Spark.

    Example:
        >>> tables_by_path("SELECT * FROM {source} JOIN delta.`/data/shops` USING (shop)")
        ['/data/shops']
    """
    tokens = [token for _, token in _tokens(text)]
    triples = zip(tokens, tokens[1:], tokens[2:], strict=False)
    return [
        name.strip("`")
        for before, dot, name in triples
        if before.lower() in _FORMATS and dot == "." and name.startswith("`")
    ]


def _combining(before: str, word: str, after: str) -> str:
    """Return the clause that begins with a word between two others; ``""`` for none."""
    found = {
        "OVER": before == ")" and after == "(",
        "GROUP": after == "BY",
        "DISTINCT": before in ("SELECT", "("),
        "LIMIT": after.isdigit(),
        "TABLESAMPLE": after == "(",
        "INTERSECT": after in _SET,
        "EXCEPT": after in _SET,
        "MINUS": after in _SET,
    }
    return {"GROUP": "GROUP BY"}.get(word, word) if found.get(word) else ""


def _tokens(text: str) -> list[tuple[str, str]]:
    """Return the tokens that count, each with its kind."""
    return [(kind, token) for kind, token in _all_tokens(text) if kind not in ("space", "comment")]


def _all_tokens(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(text):
        if text.startswith("/*", position):
            end = _end_of_comment(text, position)
            yield "name" if text.startswith("/*+", position) else "comment", text[position:end]
        else:
            match = _TOKEN.match(text, position)
            if match is None:  # every character matches
                return
            end = match.end()
            yield str(match.lastgroup), match[0]
        position = end


def _end_of_comment(text: str, start: int) -> int:
    """Return the end of a comment; comments in comments are part of it."""
    depth = 0
    for match in re.finditer(r"/\*|\*/", text[start:]):
        depth += 1 if match[0] == "/*" else -1
        if depth == 0:
            return start + match.end()
    return len(text)


def _query(text: str) -> list[tuple[str, str]]:
    """Return the tokens that count, without semicolons at the end."""
    tokens = _tokens(text)
    while tokens and tokens[-1][1] == ";":
        tokens.pop()
    return tokens


def _spaced(tokens: list[tuple[str, str]], words: list[str]) -> str:
    """Return the words of tokens as one text, with the spaces of the normal form."""
    before = [("", "("), *tokens]
    spaces = (
        " " if _is_spaced(each, token) else ""
        for each, (_, token) in zip(before, tokens, strict=False)
    )
    return "".join(space + word for space, word in zip(spaces, words, strict=True))


def _is_spaced(before: tuple[str, str], token: str) -> bool:
    kind, last = before
    if last in _NO_SPACE_AFTER or token in _NO_SPACE_BEFORE:
        return False
    if token == "(":
        return kind != "word" or last.upper() in _KEYWORDS - _CALLED
    return True
