"""Changes of the stored rows that change no bit of an answer.

The engine in process answers from Delta tables. `test_kernel` has the laws of the kernel alone,
`test_spark_worlds` those of Spark.
"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.engines import reference
from tests.effort import examples
from tests.engines.kernel.worlds import World, worlds
from tests.laws.answers import answers_from_table

pytestmark = pytest.mark.slow  # each law writes hundreds of tables


@given(worlds(), st.randoms(use_true_random=False), st.integers(1, 4))
@examples(40)
def test_shuffling_rows_changes_nothing(world: World, random: object, commits: int) -> None:
    shuffled = [*world.rows]
    random.shuffle(shuffled)

    answers = answers_from_table(replace(world, rows=shuffled), commits=commits)

    assert answers == answers_from_table(world)


@given(worlds(), st.integers(2, 5), st.sampled_from([1, 2, 7]))
@examples(40)
def test_commits_and_row_groups_change_nothing(world: World, commits: int, row_group: int) -> None:
    answers = answers_from_table(world, commits=commits, row_group=row_group)

    assert answers == answers_from_table(world)


@given(worlds())
@examples(40)
def test_rows_that_become_visible_after_a_moment_change_nothing_at_it(world: World) -> None:
    moments = sorted(row["at"] for row in world.spine if row["at"] is not None)
    now = moments[len(moments) // 2] if moments else 0
    spine = [row for row in world.spine if row["at"] is not None and row["at"] <= now]
    visible = [
        row
        for row in world.rows
        if row["event_timestamp"] is not None and reference.visible_from(world.query, row) <= now
    ]

    answers = answers_from_table(replace(world, spine=spine, rows=visible))

    assert answers == answers_from_table(replace(world, spine=spine))


@given(worlds())
@examples(40)
def test_rows_of_other_entities_change_nothing(world: World) -> None:
    keys = {reference.spine_key(world.query, row) for row in world.spine}
    own_rows = [row for row in world.rows if reference.row_key(world.query, row) in keys]

    assert answers_from_table(replace(world, rows=own_rows)) == answers_from_table(world)


@given(worlds())
@examples(40)
def test_other_names_of_keys_and_an_unused_column_change_nothing(world: World) -> None:
    names = {key.key: f"{key.key}_of_old" for key in world.query.keys}
    keys = tuple(replace(key, key=names[key.key]) for key in world.query.keys)
    rows = [renamed(row, names) | {"more": number} for number, row in enumerate(world.rows)]

    answers = answers_from_table(World(replace(world.query, keys=keys), world.spine, rows))

    assert answers == answers_from_table(world)


@given(worlds())
@examples(40)
def test_columns_with_swapped_names_have_the_same_values(world: World) -> None:
    columns = world.query.value_columns
    names = dict(zip(columns, columns[1:] + columns[:1], strict=True)) | {"*": "*", None: None}
    query = replace(
        world.query,
        columns=tuple(replace(each, column=names[each.column]) for each in world.query.columns),
        aggregates=tuple(
            replace(each, column=names[each.column], by=names[each.by])
            for each in world.query.aggregates
        ),
    )

    answers = answers_from_table(
        World(query, world.spine, [renamed(row, names) for row in world.rows])
    )

    assert answers == answers_from_table(world)


@given(worlds(), st.integers(-(10**15), 10**15))
@examples(40)
def test_shifting_all_times_changes_nothing(world: World, shift: int) -> None:
    query = replace(
        world.query,
        aggregates=tuple(
            replace(each, window=replace(each.window, every=None, offset=0))
            for each in world.query.aggregates
        ),
    )

    def moved(row: dict, *names: str) -> dict:
        return row | {name: row[name] + shift for name in names if row[name] is not None}

    later = World(
        query,
        [moved(row, "at") for row in world.spine],
        [moved(row, "event_timestamp", "available_timestamp") for row in world.rows],
    )

    assert answers_from_table(later) == answers_from_table(replace(world, query=query))


@given(worlds(aggregates=False))
@examples(40)
def test_rows_that_are_stored_twice_change_no_as_of_answer(world: World) -> None:
    assert answers_from_table(
        replace(world, rows=world.rows * 2), commits=2
    ) == answers_from_table(world)


def renamed(row: dict, names: dict) -> dict:
    """Return a row with some columns under other names."""
    return {names.get(name, name): value for name, value in row.items()}
