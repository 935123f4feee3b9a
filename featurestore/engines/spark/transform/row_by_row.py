"""The check that a transform works row by row, from Spark's analyzed plan; no row is read.

A run sees only new rows. So a result that depends on other rows would depend on how the rows
arrived, and a row that the source retracts could not be found again.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pyspark.sql import DataFrame, SparkSession

from featurestore.definitions.model.view import FeatureView
from featurestore.errors import MaterializationError

Transform = Callable[[DataFrame], DataFrame]

_SOURCE = "_featurestore_source"
_INNER = 6  # columns between an operator and its subqueries in the plan's text
_FIELDS = "spark.sql.debug.maxToStringFields"
# Operators of Spark's plans that combine rows, or drop a row because of another row.
_COMBINING = re.compile(
    r"Aggregate|Window(GroupLimit|InPandas)?|Deduplicate\w*|Distinct|Pivot|Intersect|Except"
    r"|GlobalLimit|LocalLimit|Offset|Tail|Sample|UnionLoop|FlatMap(Co)?Groups\w*|\w*MapGroups\w*"
    r"|CoGroup\w*|TransformWithState\w*|AsOfJoin|ScriptTransformation|AttachDistributedSequence"
)
# As Spark writes them. A UDF of such a name is followed by the number of its result.
_UNSTABLE = re.compile(
    r"\b(now|current_(?:timestamp|user|timezone|catalog|schema|database)|(?:session_)?user"
    r"|input_file_name|input_file_block_(?:start|length)|monotonically_increasing_id"
    r"|distributed_sequence_id|SPARK_PARTITION_ID)\(\)(?!#)"
    r"|\b(rand|randn|random)\(-?\d+\)(?!#)"
    r"|\b(uuid|current_date|current_time|localtimestamp)\((?:Some|None|\d)"
    r"|\b(shuffle)\([^\n]*, Some\(-?\d+\)\)"
    r"|\b(randstr|uniform)\([^()]*, -?\d+, true"
    r"|\b(reflect|java_method|try_reflect)\(java"
    # Literals that Spark takes for the time of the run.
    r"|\bcast\((now|today|tomorrow|yesterday) as (?:date|timestamp)",
    re.IGNORECASE,
)
_OPERATOR = re.compile(r"^([\s:+\-!'~]*)([A-Za-z]+)(?: (\d+))?")


@dataclass
class _Node:
    """An operator of a plan; ``reads_source`` if its rows come from the source's rows."""

    depth: int
    operator: str
    text: str
    children: "list[_Node]" = field(default_factory=list)
    subqueries: "list[_Node]" = field(default_factory=list)
    reads_source: bool = False

    def all_below(self) -> "Iterator[_Node]":
        """Yield this operator and all below it."""
        yield self
        for child in (*self.subqueries, *self.children):
            yield from child.all_below()


def require_row_by_row(
    view: FeatureView,
    transform: Transform,
    rows: DataFrame,
    banned: frozenset[str] = frozenset(),
) -> None:
    """Check that a transform makes each row from one source row, whenever it runs.

    Args:
        view: The view, for messages.
        transform: Its transform.
        rows: Rows of its source. None of them is read.
        banned: Further operators of Spark's plans that are not allowed.

    Raises:
        MaterializationError: The transform groups, ranks, deduplicates, limits or joins rows of
            the source, or its result depends on the time or on chance.
    """
    session = rows.sparkSession
    out = transform(rows.alias(_SOURCE))
    with _whole_text(session):
        text = session.sql("EXPLAIN EXTENDED SELECT * FROM {rows}", rows=out).collect()[0][0]
    problem = _problem(text, banned)
    if problem:
        raise MaterializationError(
            f"transform of view {view.name!r} ({view.origin})",
            f"it does not work row by row: {problem}. A run sees only new rows, so the features "
            "would depend on how the rows arrived, and not on the rows alone",
            "Select and compute row by row. Count, sum and rank with aggregations= of the view, "
            "and let unique_by= of its source remove revisions of one event.",
        )


@contextmanager
def _whole_text(session: SparkSession) -> Iterator[None]:
    """Let Spark write the columns of a plan in full: it leaves out all after the 25th."""
    before = session.conf.get(_FIELDS)
    session.conf.set(_FIELDS, "100000")
    try:
        yield
    finally:
        session.conf.set(_FIELDS, str(before))


def _problem(text: str, banned: frozenset[str]) -> str:
    """Return why a plan does not work row by row; ``""`` if it does."""
    analyzed = text.partition("== Analyzed Logical Plan ==")[2]
    root = _tree(analyzed.partition("== Optimized Logical Plan ==")[0])
    _mark(root)
    if not root.reads_source:
        return "its result does not come from the rows that it is given, as a DataFrame"
    for node in root.all_below():
        if match := _UNSTABLE.search(node.text):
            name = next(each for each in match.groups() if each)
            return f"it uses {name.lower()!r}, which gives another result in each run"
        if problem := _problem_of(node, banned) if node.reads_source else "":
            return problem
    return ""


def _problem_of(node: _Node, banned: frozenset[str]) -> str:
    if _COMBINING.fullmatch(node.operator) or node.operator in banned:
        return f"its plan has the operator {node.operator}"
    if any(each.reads_source for each in node.subqueries):
        return "a subquery reads the rows of the source"
    sides = sum(child.reads_source for child in node.children)
    if sides > 1 and node.operator not in ("Union", "WithCTE"):
        return f"its plan has the operator {node.operator} of the source's rows with themselves"
    return ""


def _tree(plan: str) -> _Node:
    """Return a plan's operators as a tree, without those that make the source's rows."""
    root = _Node(-1, "", "")
    path, hidden = [root], None
    for line in plan.splitlines():
        match = _OPERATOR.match(line)
        if match is None or (hidden is not None and len(match[1]) > hidden):
            continue
        node = _Node(len(match[1]), match[2], line)
        is_source = f"SubqueryAlias {_SOURCE}" in line
        node.reads_source, hidden = is_source, node.depth if is_source else None
        while path[-1].depth >= node.depth:
            path.pop()
        inner = path[-1] is not root and node.depth - path[-1].depth >= _INNER
        (path[-1].subqueries if inner else path[-1].children).append(node)
        path.append(node)
    return root


def _mark(root: _Node) -> None:
    """Mark the operators whose rows come from the source, also by a common table expression."""
    tables = [node for node in root.all_below() if node.operator == "CTERelationDef"]
    marked: set[str] = set()
    for _ in range(len(tables) + 1):  # a table may read from one before it
        for node in root.all_below():
            if node.operator == "CTERelationRef" and _number(node) in marked:
                node.reads_source = True
        _mark_above(root)
        marked = {_number(table) for table in tables if table.reads_source}


def _mark_above(node: _Node) -> bool:
    below = [_mark_above(each) for each in (*node.children, *node.subqueries)]
    node.reads_source = node.reads_source or any(below)
    return node.reads_source


def _number(node: _Node) -> str:
    match = _OPERATOR.match(node.text)
    return str(match[3]) if match else ""
