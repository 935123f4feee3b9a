"""The decision of a contract, as laws over all pairs of schemas."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from featurestore.definitions.model.view import SchemaContract
from featurestore.jobs.contract.changes import Column, Schema, compare, refused
from featurestore.jobs.contract.comparison import described, side_by_side

NAMES = ["a", "b", "c", "d\ne", "a_column_with_a_name_of_more_than_forty_characters"]
TYPES = ["Int32", "Int64", "String", "struct<x: int64, y: int64, z: list<item: string>>"]
COLUMNS = st.builds(Column, st.sampled_from(NAMES), st.sampled_from(TYPES))
SCHEMAS = st.lists(COLUMNS, unique_by=lambda column: column.name).map(tuple)
WIDER = {("Int32", "Int64")}


def fits(old: Column, new: Column) -> bool:
    return (old.type, new.type) in WIDER


def pairs(schema: Schema) -> dict[str, str]:
    return {column.name: column.type for column in schema}


@given(SCHEMAS, SCHEMAS)
def test_a_frozen_schema_takes_only_itself(before: Schema, now: Schema) -> None:
    changes = compare(before, now, fits)

    assert (refused("freeze", changes, ()) == ()) == (before == now)


@given(SCHEMAS, SCHEMAS)
def test_an_evolving_schema_takes_all_that_keeps_each_column(before: Schema, now: Schema) -> None:
    old, new = pairs(before), pairs(now)
    keeps = all(
        name in new and (new[name] == kind or (kind, new[name]) in WIDER)
        for name, kind in old.items()
    )

    assert (refused("evolve", compare(before, now, fits), ()) == ()) == keeps


@given(SCHEMAS, SCHEMAS, st.sets(st.sampled_from(NAMES)))
@example((Column("a", "Int64"),), (Column("b", "Int64"),), {"a"})
def test_what_is_ignored_is_what_the_view_does_not_need(
    before: Schema, now: Schema, needed: set[str]
) -> None:
    changes = compare(before, now, fits)
    touched = {change.before.name for change in changes if change.before is not None}

    found = refused("ignore", changes, needed)

    assert {change.column.name for change in found} == touched & needed


@given(SCHEMAS, SCHEMAS)
def test_each_column_of_both_schemas_is_in_the_changes_exactly_if_it_differs(
    before: Schema, now: Schema
) -> None:
    changes = compare(before, now, fits)
    old, new = pairs(before), pairs(now)
    gone = {c.before.name for c in changes if c.kind in ("dropped", "renamed") and c.before}
    come = {c.now.name for c in changes if c.kind in ("added", "renamed") and c.now}

    assert gone == old.keys() - new.keys()
    assert come == new.keys() - old.keys()
    assert {c.column.name for c in changes if c.kind == "retyped"} == {
        name for name in old.keys() & new.keys() if old[name] != new[name]
    }
    assert all(
        c.before.type == c.now.type for c in changes if c.before and c.now and c.kind == "renamed"
    )


@given(SCHEMAS, SCHEMAS)
def test_the_comparison_fits_a_terminal_and_has_a_sign_for_each_change(
    before: Schema, now: Schema
) -> None:
    changes = compare(before, now, fits)

    lines = side_by_side(before, now, changes).splitlines()

    assert max(map(len, lines)) <= 80
    assert sum(line[:2].strip() in ("+", "-", "~", "->") for line in lines) == len(changes)


def test_many_columns_that_stayed_are_counted() -> None:
    before = tuple(Column(f"c{n}", "Int64") for n in range(30))

    lines = side_by_side(before, before[1:], compare(before, before[1:], fits)).splitlines()

    assert len(lines) == 12
    assert lines[-2].split()[1] == "21"


@pytest.mark.parametrize("contract", ["ignore", "evolve", "freeze"])
def test_a_column_without_values_has_each_type(contract: SchemaContract) -> None:
    changes = compare((Column("a", "Int64"),), (Column("a", "null"),), fits)

    assert refused(contract, changes, ()) == ()


def test_of_two_columns_that_may_be_renamed_neither_is() -> None:
    before = (Column("a", "Int64"), Column("b", "Int64"))
    now = (Column("c", "Int64"), Column("d", "Int64"))

    changes = compare(before, now, fits)

    assert [change.kind for change in changes] == ["dropped", "dropped", "added", "added"]
    assert described(changes[:1]) == "dropped a (Int64)"
