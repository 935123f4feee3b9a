"""The check that a transform works row by row, from Spark's analyzed plan; no row is read.

A run sees only new rows. So a result that depends on other rows would depend on how the rows
arrived, and a row that the source retracts could not be found again.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.transform.plan_text import (
    analyzed_text,
    constants,
    has_special_time,
    text_tree,
    unstable_function,
)
from featurestore.engines.spark.transform.plan_tree import Operator, plan_tree, simple_name
from featurestore.errors import MaterializationError

Transform = Callable[[DataFrame], DataFrame]

_SOURCE = "_featurestore_source"
# Operators of Spark's plans that combine rows, or drop a row because of another row.
_COMBINING = re.compile(
    r"Aggregate|Window(GroupLimit|InPandas)?|Deduplicate\w*|Distinct|Pivot|Intersect|Except"
    r"|GlobalLimit|LocalLimit|Offset|Tail|Sample|UnionLoop|FlatMap(Co)?Groups\w*|\w*MapGroups\w*"
    r"|CoGroup\w*|TransformWithState\w*|AsOfJoin|ScriptTransformation|AttachDistributedSequence"
)
# Functions whose result depends on the run, by their classes in Spark.
_UNSTABLE = {
    "CallMethodViaReflection": "reflect",
    "CurrentCatalog": "current_catalog",
    "CurrentDatabase": "current_database",
    "CurrentDate": "current_date",
    "CurrentPath": "current_path",
    "CurrentTime": "current_time",
    "CurrentTimeZone": "current_timezone",
    "CurrentTimestamp": "current_timestamp",
    "CurrentUser": "current_user",
    "DistributedSequenceID": "distributed_sequence_id",
    "InputFileBlockLength": "input_file_block_length",
    "InputFileBlockStart": "input_file_block_start",
    "InputFileName": "input_file_name",
    "LocalTimestamp": "localtimestamp",
    "MonotonicallyIncreasingID": "monotonically_increasing_id",
    "Now": "now",
    "Rand": "rand",
    "RandStr": "randstr",
    "Randn": "randn",
    "Shuffle": "shuffle",
    "SparkPartitionID": "spark_partition_id",
    "TryReflect": "try_reflect",
    "Uniform": "uniform",
    "Uuid": "uuid",
    "VariableReference": "variable of the session",
}
# Their other names in the text of a plan.
_OTHER_NAMES = (
    *("curdate", "current_schema", "java_method", "random", "session_user", "user"),
    "variablereference",
)
# What chooses rows and columns, and computes nothing.
_CHOOSING = {"Filter", "Project", "SubqueryAlias", "View"}
# No casts: a value that cannot be cast shall fail before anything of its batch is written.
_NAMING = {"Alias", "AttributeReference"}
_MOMENT = (
    "it takes a text such as 'now' or 'today' as a time, which gives another result in each run"
)
_OTHER_CONSTANTS = (
    "it makes other constants when it is called again, such as a time or a random number, so it "
    "gives another result in each run"
)


def require_row_by_row(
    view: FeatureView,
    transform: Transform,
    rows: DataFrame,
    banned: frozenset[str] = frozenset(),
) -> Operator:
    """Return a transform's plan if it makes each row from one source row, whenever it runs.

    Args:
        view: The view, for messages.
        transform: Its transform.
        rows: Rows of its source. None of them is read.
        banned: Further operators of Spark's plans that are not allowed.

    Raises:
        MaterializationError: The transform groups, ranks, deduplicates, limits or joins rows of
            the source, or its result depends on the time or on chance.
    """
    tree, problem = _checked(transform, rows)
    problem = problem or _rows_problem(tree, banned)
    if problem:
        raise MaterializationError(
            f"transform of view {view.name!r} ({view.origin})",
            f"it does not work row by row: {problem}. A run sees only new rows, so the features "
            "would depend on how the rows arrived, and not on the rows alone",
            "Select and compute row by row. Count, sum and rank with aggregations= of the view, "
            "and let unique_by= of its source remove revisions of one event.",
        )
    return tree


def only_chooses(tree: Operator) -> bool:
    """Return whether a transform only chooses rows and columns of the source.

    Its conditions are of Spark's own functions. Through Spark Connect it is not known: then False.

    Args:
        tree: The transform's plan, by `require_row_by_row`.
    """
    return all(map(_chooses, tree.all_below()))


def _chooses(node: Operator) -> bool:
    is_text = "text" in node.fields  # through Spark Connect: the functions are not known
    if is_text or node.name not in _CHOOSING or node.subqueries or not node.reads_source:
        return False
    functions = {simple_name(each) for each in node.expressions}
    if node.name == "Project":
        return functions <= _NAMING
    return not any("UDF" in each or "Invoke" in each for each in functions)


def require_same_in_each_run(view: FeatureView, transform: Transform, rows: DataFrame) -> None:
    """Check that a transform gives the same result for the same rows, whenever it runs.

    Args:
        view: The view, for messages.
        transform: Its transform.
        rows: Rows of its source. None of them is read.

    Raises:
        MaterializationError: Its result depends on the time, on chance or on the session.
    """
    _, problem = _checked(transform, rows)
    if problem:
        raise MaterializationError(
            f"transform of view {view.name!r} ({view.origin})",
            f"{problem}. Each run would store every row once more, as changed",
            "Use a column of the source.",
        )


def _checked(transform: Transform, rows: DataFrame) -> tuple[Operator, str]:
    """Return a transform's plan, and why its result depends on the run; ``""`` if not."""
    frame = transform(rows.alias(_SOURCE))
    if getattr(frame, "_jdf", None) is None:
        return checked_text(_text_of(frame), _text_of(transform(rows.alias(_SOURCE))))
    plan, tree = _plan_of(frame)
    problem = _run_problem(rows.sparkSession, plan, tree)
    if not problem and _literals(tree) != _literals(_plan_of(transform(rows.alias(_SOURCE)))[1]):
        problem = _OTHER_CONSTANTS
    return tree, problem


def checked_text(text: str, again: str) -> tuple[Operator, str]:
    """Return a transform's plan, and why its result depends on the run; ``""`` if not.

    Args:
        text: The transform's plan, by `analyzed_text`.
        again: The plan after the transform was called again.
    """
    if name := unstable_function(text, (*_UNSTABLE.values(), *_OTHER_NAMES)):
        problem = f"it uses {name!r}, which gives another result in each run"
    elif has_special_time(text):
        problem = _MOMENT
    else:
        problem = "" if constants(text) == constants(again) else _OTHER_CONSTANTS
    return text_tree(text, _SOURCE), problem


def _text_of(frame: DataFrame) -> str:
    remote: Any = frame
    return analyzed_text(remote._explain_string(mode="extended"))  # the public method prints it


def _plan_of(frame: DataFrame) -> tuple[Any, Operator]:
    """Return the analyzed plan in Spark's Java process, and its operators."""
    plan = frame._jdf.queryExecution().analyzed()  # there is no public method for it
    return plan, plan_tree(plan.toJSON(), _SOURCE)


def _literals(tree: Operator) -> list[tuple[object, object]]:
    """Return the constants of a plan, without texts: some are names, in MLlib random ones."""
    return [
        (each.get("dataType"), each.get("value"))
        for node in tree.all_below()
        for each in node.expressions
        if simple_name(each) == "Literal" and each.get("dataType") != "string"
    ]


def _run_problem(session: SparkSession, plan: Any, tree: Operator) -> str:
    """Return why the result depends on the time, on chance or on the session; ``""`` if not.

    Args:
        session: The session.
        plan: The analyzed plan in Spark's Java process.
        tree: The plan's operators.
    """
    for each in (each for node in tree.all_below() for each in node.expressions):
        if name := _UNSTABLE.get(simple_name(each)):
            return f"it uses {name!r}, which gives another result in each run"
    if _has_current_value(session, plan):
        return "it uses the time of the run or its user, which gives another result in each run"
    if any(_takes_moment(session, each) for each in _all_plans(plan)):
        return _MOMENT
    return ""


def _has_current_value(session: SparkSession, plan: Any) -> bool:
    # Spark marks these functions itself, also where the plan's JSON leaves them out, as in VALUES.
    patterns = session._jvm.org.apache.spark.sql.catalyst.trees.TreePattern  # type: ignore[union-attr]
    return bool(plan.containsPattern(patterns.CURRENT_LIKE()))


def _takes_moment(session: SparkSession, plan: Any) -> bool:
    """Return whether Spark would take a constant text of a plan for the time of the run."""
    rules = session._jvm.org.apache.spark.sql.catalyst.optimizer  # type: ignore[union-attr]
    written_out = _apply(rules, "ReplaceExpressions", plan)
    return not _apply(rules, "SpecialDatetimeValues", written_out).fastEquals(written_out)


def _apply(rules: Any, name: str, plan: Any) -> Any:
    """Return a plan after a rule of Spark's optimizer."""
    return getattr(getattr(rules, f"{name}$"), "MODULE$").apply(plan)


def _all_plans(plan: Any) -> Iterator[Any]:
    """Yield a plan and the plans of all its subqueries, as objects of Spark's Java process."""
    yield plan
    subqueries = plan.subqueriesAll()
    yield from (subqueries.apply(number) for number in range(subqueries.length()))


def _rows_problem(tree: Operator, banned: frozenset[str]) -> str:
    """Return why a result depends on other rows of the source; ``""`` if it does not."""
    _mark(tree)
    if not tree.reads_source:
        return "its result does not come from the rows that it is given, as a DataFrame"
    return next(filter(None, (_problem_of(node, banned) for node in tree.all_below())), "")


def _problem_of(node: Operator, banned: frozenset[str]) -> str:
    if not node.reads_source:
        return ""
    if _COMBINING.fullmatch(node.name) or node.name in banned:
        return f"its plan has the operator {node.name}"
    if any(each.reads_source for each in node.subqueries):
        return "a subquery reads the rows of the source"
    sides = sum(child.reads_source for child in node.children)
    if sides > 1 and node.name not in ("Union", "WithCTE"):
        return f"its plan has the operator {node.name} of the source's rows with themselves"
    return ""


def _mark(tree: Operator) -> None:
    """Mark the operators whose rows come from the source, also by a common table expression."""
    nodes = list(tree.all_below())
    tables = [node for node in nodes if node.name == "CTERelationDef"]
    marked: set[object] = set()
    for _ in range(len(tables) + 1):  # a table may read from one before it
        for node in reversed(nodes):  # inputs first
            by_table = node.name == "CTERelationRef" and node.fields.get("cteId") in marked
            inputs = any(each.reads_source for each in node.inputs)
            node.reads_source = node.reads_source or by_table or inputs
        marked = {table.fields.get("id") for table in tables if table.reads_source}
