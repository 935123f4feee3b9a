"""Spark's plans as trees, read from their JSON."""

import json
from typing import Any

from featurestore.engines.spark.transform.plan_tree import plan_tree, simple_name


def item(name: str, children: int = 0, **fields: Any) -> dict[str, Any]:
    """An operator or an expression as Spark writes it."""
    return {"class": f"org.apache.spark.{name}", "num-children": children, **fields}


def test_operators_have_their_children_subqueries_and_expressions() -> None:
    subquery = [item("Aggregate", 1, groups=[[item("Rand")]]), item("Range")]
    condition = [
        item("GreaterThan", 2, left=0),
        item("Now"),
        item("ScalarSubquery", plan=subquery),
    ]
    plan = [item("Join", 2, condition=condition), item("Filter", 1), item("One"), item("Two")]

    tree = plan_tree(json.dumps(plan), "s")

    assert [each.name for each in tree.children] == ["Filter", "Two"]
    assert [each.name for each in tree.children[0].children] == ["One"]
    assert [simple_name(each) for each in tree.expressions] == [
        "GreaterThan",
        "Now",
        "ScalarSubquery",
    ]
    assert [each.name for each in tree.subqueries] == ["Aggregate"]
    assert [simple_name(each) for each in tree.subqueries[0].expressions] == ["Rand"]
    names = [each.name for each in tree.all_below()]
    assert names == ["Join", "Aggregate", "Range", "Filter", "One", "Two"]


def test_texts_and_metadata_are_no_expressions() -> None:
    metadata = {"note": [{"class": "Now"}]}
    literal = item("Literal", value='[{"class": "Now", "num-children": 0}]')
    plan = [item("Project", projectList=[[literal], [item("Attribute", metadata=metadata)]])]

    names = [simple_name(each) for each in plan_tree(json.dumps(plan), "s").expressions]

    assert sorted(names) == ["Attribute", "Literal"]


def test_the_plan_of_the_source_is_left_out() -> None:
    alias = item("SubqueryAlias", 1, identifier={"name": "s"})
    tree = plan_tree(
        json.dumps([item("Project", 1), alias, item("Aggregate", 1), item("Range")]), "s"
    )

    assert [each.name for each in tree.all_below()] == ["Project", "SubqueryAlias"]
    assert tree.children[0].reads_source


def test_a_plan_of_any_depth_is_read() -> None:
    plan = [*(item("Project", 1) for _ in range(5000)), item("Range")]

    assert sum(1 for _ in plan_tree(json.dumps(plan), "s").all_below()) == 5001
