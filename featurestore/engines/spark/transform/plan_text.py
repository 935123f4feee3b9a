"""Spark's analyzed plan as a tree of operators, read from its text, for Spark Connect.

There the plan is in another process, which gives its text alone. In the text, a literal or a
column may look like a function. So a transform that is right may be refused, where it has a text
such as ``now()``.
"""

import re
from collections.abc import Iterable

from featurestore.engines.spark.transform.plan_tree import Operator

_ANALYZED = re.compile(r"== Analyzed Logical Plan ==\n(.*?)\n== Optimized", re.DOTALL)
_LINE = re.compile(r"^([ :+-]*)('?\w+)(.*)$")
_CTE = re.compile(r"^ (\d+)")
_NAMED_TIME = r"\(\s*(?:epoch|now|today|tomorrow|yesterday)\b"
_SPECIAL = re.compile(
    rf"cast{_NAMED_TIME}[^()]* as (?:date|timestamp)"
    rf"|to_(?:date|timestamp)\w*{_NAMED_TIME}",
    re.IGNORECASE,
)
# Numbers and times. Digits within a name, and the numbers of expressions (#12) and of common table
# expressions, are no constants.
_NUMBERED = re.compile(r"CTERelation(?:Def|Ref) \d+")
_NUMBER = re.compile(r"(?<![\w#.=])-?\d[\d.:\-]*")


def analyzed_text(explained: str) -> str:
    r"""Return the analyzed plan in the text of ``DataFrame.explain(extended=True)``.

    Example:
        >>> analyzed_text("== Analyzed Logical Plan ==\nid: bigint\nRange\n\n== Optimized")
        'id: bigint\nRange\n'
    """
    found = _ANALYZED.search(explained)
    return found[1] if found else ""


def text_tree(text: str, source: str) -> Operator:
    r"""Return the operators of a plan's text, without those that make the source's rows.

    A subquery stands among the children of its operator.

    Args:
        text: The text, by `analyzed_text`.
        source: The alias of the source's rows.

    Example:
        >>> text = "n: bigint\nAggregate [n#1]\n+- SubqueryAlias paid\n   +- Range (0, 9)\n"
        >>> tree = text_tree(text, "paid")
        >>> tree.name, tree.children[0].reads_source, tree.children[0].children
        ('Aggregate', True, [])
    """
    root = Operator("Plan", {})
    above = [(-1, root)]
    for line in text.splitlines()[1:]:
        match = _LINE.match(line)
        if match is None:
            continue
        depth, operator = len(match[1]), _operator(match[2].lstrip("'"), match[3])
        while above[-1][0] >= depth:
            above.pop()
        above[-1][1].children.append(operator)
        above.append((depth, operator))
    for operator in root.all_below():
        if operator.name == "SubqueryAlias" and operator.fields["text"] == f" {source}":
            operator.reads_source = True
            operator.children.clear()
    return root.children[0] if len(root.children) == 1 else root


def unstable_function(text: str, names: Iterable[str]) -> str:
    """Return a function in a plan's text whose result depends on the run; ``""`` if there is none.

    Args:
        text: The text, by `analyzed_text`.
        names: The functions, by their names in SQL.

    Example:
        >>> unstable_function("Project [rand(12) AS r#1]", ["now", "rand"])
        'rand'
    """
    calls = set(re.findall(r"\b(\w+)\(", text.lower()))
    return next((name for name in names if name in calls), "")


def has_special_time(text: str) -> bool:
    """Return whether Spark would take a constant text of a plan for the time of the run.

    Example:
        >>> has_special_time("Project [cast(today as date) AS d#1]")
        True
    """
    return _SPECIAL.search(text) is not None


def constants(text: str) -> list[str]:
    """Return the numbers and times in a plan's text.

    Example:
        >>> constants("Project [(n#12L + 3) AS m_4#13L, cast(2026-01-01 as date)]")
        ['3', '2026-01-01']
    """
    return _NUMBER.findall(_NUMBERED.sub("", text))


def _operator(name: str, rest: str) -> Operator:
    number = _CTE.match(rest)
    fields = {"text": rest}
    if name in ("CTERelationDef", "CTERelationRef") and number:
        fields |= {"id": number[1], "cteId": number[1]}
    return Operator(name, fields)
