"""Spark's analyzed plan as a tree of operators, with the expressions of each.

It is read from the plan's JSON, in which every operator and function is named by its class. The
plan's text would not do: there, a literal or a column looks the same as a function of that name.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Item = Mapping[str, Any]
"""The fields of an operator or an expression, with its class."""

_CLASS, _CHILDREN = "class", "num-children"
_PLAN = "plan"  # the field of an expression that holds its subquery


@dataclass(eq=False)
class Operator:
    """An operator of a plan.

    Args:
        name: Its class, without the package.
        fields: Its fields.
        children: The operators whose rows it takes.
        subqueries: The plans of the subqueries in its expressions.
        expressions: All its expressions, in any depth.
        reads_source: Whether its rows come from the source's rows.
    """

    name: str
    fields: Item
    children: "list[Operator]" = field(default_factory=list)
    subqueries: "list[Operator]" = field(default_factory=list)
    expressions: list[Item] = field(default_factory=list)
    reads_source: bool = False

    @property
    def inputs(self) -> "list[Operator]":
        """The operators directly below this one, and those of its subqueries."""
        return [*self.subqueries, *self.children]

    def all_below(self) -> "Iterator[Operator]":
        """Yield this operator and all below it, each before its inputs."""
        stack = [self]
        while stack:
            operator = stack.pop()
            yield operator
            stack += reversed(operator.inputs)


def plan_tree(text: str, source: str) -> Operator:
    """Return a plan's operators, without those that make the source's rows.

    Args:
        text: The plan as JSON, by `TreeNode.toJSON` of Spark.
        source: The alias of the source's rows.

    Example:
        >>> names = [
        ...     {"class": "logical.Project", "num-children": 1, "projectList": [[
        ...         {"class": "expressions.Now", "num-children": 0}]]},
        ...     {"class": "logical.Range", "num-children": 0},
        ... ]
        >>> tree = plan_tree(json.dumps(names), "paid")
        >>> tree.name, simple_name(tree.expressions[0]), tree.children[0].name
        ('Project', 'Now', 'Range')
    """
    root = _tree(json.loads(text))
    for operator in root.all_below():
        if operator.name == "SubqueryAlias" and _alias(operator.fields) == source:
            operator.reads_source = True
            operator.children.clear()
    return root


def simple_name(item: Item) -> str:
    """Return the class of an operator or an expression, without its package."""
    return str(item[_CLASS]).rpartition(".")[2].rstrip("$")


def _tree(items: list[Item]) -> Operator:
    """Return the tree of operators that stand in a list, each before its children."""
    root = _operator(items[0])
    open_operators = [(root, items[0][_CHILDREN])]
    for item in items[1:]:
        while open_operators[-1][1] == len(open_operators[-1][0].children):
            open_operators.pop()
        operator = _operator(item)
        open_operators[-1][0].children.append(operator)
        open_operators.append((operator, item[_CHILDREN]))
    return root


def _operator(item: Item) -> Operator:
    operator = Operator(simple_name(item), item)
    lists = _lists(item)
    while lists:
        values = lists.pop()
        for value in values:
            if isinstance(value, list):
                lists.append(value)
            elif isinstance(value, Mapping) and _CLASS in value and _CHILDREN in value:
                operator.expressions.append(value)
                lists += _lists(value, without=_PLAN)
                if isinstance(plan := value.get(_PLAN), list):
                    operator.subqueries.append(_tree(plan))
    return operator


def _lists(item: Item, without: str = "") -> list[list[Any]]:
    return [value for key, value in item.items() if isinstance(value, list) and key != without]


def _alias(fields: Item) -> str:
    identifier = fields.get("identifier")
    return str(identifier.get("name")) if isinstance(identifier, Mapping) else ""
