"""What may happen to the stored rows without changing one bit of an answer.

All of it is asked of the engine in process, from real Delta tables; `test_kernel` has the laws of
the kernel alone, `test_spark_worlds` those of Spark.
"""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from featurestore.engines import reference
from tests.effort import examples
from tests.engines.kernel.worlds import World, worlds
from tests.laws.answers import answered


@given(worlds(), st.randoms(use_true_random=False), st.integers(1, 4))
@examples(40)
def test_shuffling_rows_changes_nothing(world: World, random: object, commits: int) -> None:
    shuffled = [*world.rows]
    random.shuffle(shuffled)

    found = answered(replace(world, rows=shuffled), commits=commits)

    assert found == answered(world)


@given(worlds(), st.integers(2, 5), st.sampled_from([1, 2, 7]))
@examples(40)
def test_however_rows_lie_in_commits_and_row_groups_the_answers_are_the_same(
    world: World, commits: int, row_group: int
) -> None:
    found = answered(world, commits=commits, row_group=row_group)

    assert found == answered(world)


@given(worlds())
@examples(40)
def test_what_becomes_known_after_a_moment_changes_nothing_at_it(world: World) -> None:
    moments = sorted(asked["at"] for asked in world.spine if asked["at"] is not None)
    now = moments[len(moments) // 2] if moments else 0
    spine = [asked for asked in world.spine if asked["at"] is not None and asked["at"] <= now]
    known = [
        row
        for row in world.rows
        if row["event_timestamp"] is not None and reference.visible_from(world.query, row) <= now
    ]

    found = answered(replace(world, spine=spine, rows=known))

    assert found == answered(replace(world, spine=spine))


@given(worlds())
@examples(40)
def test_rows_of_other_entities_change_nothing(world: World) -> None:
    asked = {reference.spine_key(world.query, row) for row in world.spine}
    theirs = [row for row in world.rows if reference.row_key(world.query, row) in asked]

    assert answered(replace(world, rows=theirs)) == answered(world)


@given(worlds())
@examples(40)
def test_keys_of_other_names_and_a_column_that_nobody_asks_change_nothing(world: World) -> None:
    names = {key.key: f"{key.key}_of_old" for key in world.query.keys}
    keys = tuple(replace(key, key=names[key.key]) for key in world.query.keys)
    rows = [renamed(row, names) | {"more": number} for number, row in enumerate(world.rows)]

    found = answered(World(replace(world.query, keys=keys), world.spine, rows))

    assert found == answered(world)


@given(worlds())
@examples(40)
def test_values_under_each_others_names_are_the_same_values(world: World) -> None:
    known = world.query.value_columns
    names = dict(zip(known, known[1:] + known[:1], strict=True)) | {"*": "*", None: None}
    query = replace(
        world.query,
        columns=tuple(replace(each, column=names[each.column]) for each in world.query.columns),
        aggregates=tuple(
            replace(each, column=names[each.column], by=names[each.by])
            for each in world.query.aggregates
        ),
    )

    found = answered(World(query, world.spine, [renamed(row, names) for row in world.rows]))

    assert found == answered(world)


@given(worlds(), st.integers(-(10**15), 10**15))
@examples(40)
def test_moving_all_of_time_changes_nothing(world: World, shift: int) -> None:
    query = replace(
        world.query,
        aggregates=tuple(
            replace(each, window=replace(each.window, every=None, offset=0))
            for each in world.query.aggregates
        ),
    )

    def moved(row: dict, *names: str) -> dict:
        return row | {name: row[name] + shift for name in names if row[name] is not None}

    there = World(
        query,
        [moved(asked, "at") for asked in world.spine],
        [moved(row, "event_timestamp", "available_timestamp") for row in world.rows],
    )

    assert answered(there) == answered(replace(world, query=query))


@given(worlds(aggregates=False))
@examples(40)
def test_rows_that_are_stored_twice_change_no_as_of_answer(world: World) -> None:
    assert answered(replace(world, rows=world.rows * 2), commits=2) == answered(world)


def renamed(row: dict, names: dict) -> dict:
    """Return a row with some columns under other names."""
    return {names.get(name, name): value for name, value in row.items()}
