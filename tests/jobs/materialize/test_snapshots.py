"""Snapshot views: each run stores what changed in a table that is read whole."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake
from hypothesis import given
from hypothesis import strategies as st

from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.source import DeltaSource, FileSource
from featurestore.definitions.model.types import Field, Float64, Int64, String
from featurestore.definitions.model.view import FeatureView
from featurestore.errors import MaterializationError, SourceError
from featurestore.jobs.materialize.start import materialize
from tests.effort import examples
from tests.jobs.world import World, hour_of

HOUR = timedelta(hours=1)
SHOP = Entity("shop", join_keys=(Field("shop", String),))
TABLE = DeltaSource("shops", path="shops")
SHOPS = FeatureView(
    "shops",
    entities=(SHOP,),
    source=TABLE,
    schema=(Field("city", String), Field("size", Float64)),
    snapshot=True,
    latest=False,
)
State = dict[str | None, tuple[str | None, float | None]]
"""Each shop's city and size."""


@pytest.fixture
def shops(world: World) -> World:
    world.views = [SHOPS]
    return world


def table_of(state: State) -> pa.Table:
    return pa.table(
        {
            "shop": pa.array(list(state), pa.string()),
            "city": pa.array([city for city, _ in state.values()], pa.string()),
            "size": pa.array([size for _, size in state.values()], pa.float64()),
        }
    )


def deliver(world: World, state: State) -> None:
    """Replace the source table by this state, an hour later."""
    world.now += HOUR
    rows = table_of(state)
    write_deltalake(world.folder / "shops", rows, mode="overwrite", schema_mode="overwrite")


def stored(world: World) -> list[tuple[object, ...]]:
    """The stored rows: hours since the first, shop, city, size, and whether it is gone."""
    names = ("event_timestamp", "shop", "city", "size", "_deleted")
    rows = world.rows(*names, view="shops")
    first = hour_of(min(row[0] for row in rows))  # type: ignore[type-var,arg-type]  # moments
    return [(hour_of(row[0]) - first, *row[1:]) for row in rows]  # type: ignore[arg-type]


def test_each_run_stores_what_changed_as_of_the_run(shops: World) -> None:
    deliver(shops, {"a": ("Rome", 1.0), "b": ("Oslo", None), "c": (None, 3.0)})
    built = shops.materialize()
    deliver(shops, {"a": ("Rome", 1.0), "b": ("Bern", None), "d": ("Nice", 4.0)})
    ran = shops.materialize()
    deliver(shops, {"a": ("Rome", 1.0), "b": ("Bern", None), "d": ("Nice", 4.0)})
    nothing = shops.materialize()
    deliver(shops, {"a": ("Rome", 1.0), "c": (None, 3.0)})
    shops.materialize()

    assert (built.kind, built.rows_out, ran.kind, ran.rows_out) == ("build", 3, "run", 3)
    assert (nothing.status, nothing.version) == ("nothing", 1)
    assert stored(shops) == [
        (0.0, "a", "Rome", 1.0, False),
        (0.0, "b", "Oslo", None, False),
        (0.0, "c", None, 3.0, False),
        (1.0, "b", "Bern", None, False),
        (1.0, "c", None, None, True),
        (1.0, "d", "Nice", 4.0, False),
        (3.0, "b", None, None, True),
        (3.0, "c", None, 3.0, False),
        (3.0, "d", None, None, True),
    ]


def test_changes_stay_in_order_if_the_clock_goes_back(shops: World) -> None:
    deliver(shops, {"a": ("Rome", 1.0)})
    shops.materialize()
    deliver(shops, {"a": ("Bern", 1.0)})
    shops.now -= timedelta(days=3)

    shops.materialize()

    assert [row[1:3] for row in stored(shops)] == [("a", "Rome"), ("a", "Bern")]
    assert stored(shops)[1][0] == pytest.approx(0, abs=1e-6)


def test_two_rows_of_one_key_are_an_error_that_names_the_key(shops: World) -> None:
    rows = pa.concat_tables([table_of({"a": ("Rome", 1.0)}), table_of({"a": ("Bern", 1.0)})])
    write_deltalake(shops.folder / "shops", rows)

    result = shops.materialize()

    assert isinstance(result.error, MaterializationError)
    assert "shop='a'" in result.error.found


def test_rows_without_a_key_are_left_out_and_counted(shops: World) -> None:
    deliver(shops, {"a": ("Rome", 1.0), None: ("Oslo", 2.0)})

    result = shops.materialize()

    assert (result.rows_out, result.null_rows) == (1, 1)


def test_a_changed_definition_keeps_the_history(shops: World) -> None:
    deliver(shops, {"a": ("Rome", 1.0), "b": ("Oslo", 2.0)})
    shops.materialize()
    deliver(shops, {"a": ("Bern", 1.0), "b": ("Oslo", 2.0)})
    shops.materialize()
    schema = (Field("size", Int64), Field("city", String))
    sql = "SELECT shop, city, CAST(size AS BIGINT) AS size FROM {source}"
    shops.views = [replace(SHOPS, schema=schema, transform=sql)]
    shops.now += HOUR

    result = shops.materialize()

    assert (result.kind, result.version) == ("build", 0)
    assert stored(shops) == [
        (0.0, "a", "Rome", None, False),
        (0.0, "b", "Oslo", None, False),
        (1.0, "a", "Bern", None, False),
        (2.0, "a", "Bern", 1, False),
        (2.0, "b", "Oslo", 2, False),
    ]


def test_an_empty_source_is_refused_unless_the_build_is_full(shops: World) -> None:
    deliver(shops, {"a": ("Rome", 1.0)})
    shops.materialize()
    deliver(shops, {})

    refused = shops.materialize()
    shops.views = [
        replace(
            SHOPS,
            schema=(*SHOPS.schema, Field("city_again", String)),
            transform="SELECT *, city AS city_again FROM {source}",
        )
    ]
    changed = shops.materialize()
    shops.views = [SHOPS]
    full = shops.materialize(full=True)

    for result in (refused, changed):
        assert isinstance(result.error, MaterializationError)
        assert "'shops'" in result.error.found
    assert full.status == "done"
    assert [row[1:] for row in stored(shops)] == [
        ("a", "Rome", 1.0, False),
        ("a", None, None, True),
    ]


def test_a_full_build_keeps_the_history(shops: World) -> None:
    deliver(shops, {"a": ("Rome", 1.0)})
    shops.materialize()
    deliver(shops, {"a": ("Bern", 1.0)})

    shops.materialize(full=True)

    assert [row[:3] for row in stored(shops)] == [(0.0, "a", "Rome"), (1.0, "a", "Bern")]


def test_a_lost_table_is_an_error_because_its_history_is_nowhere_else(shops: World) -> None:
    deliver(shops, {"a": ("Rome", 1.0)})
    first = shops.materialize()
    folder = Path(shops.layout.features("shops", first.table_id))
    folder.rename(shops.folder / "elsewhere")

    assert isinstance(shops.materialize().error, SourceError)
    assert shops.materialize(full=True).status == "done"


def test_files_may_be_replaced(shops: World) -> None:
    source = FileSource("shops", path="shops", format="parquet")
    shops.views = [replace(SHOPS, source=source)]
    (shops.folder / "shops").mkdir()
    pq.write_table(table_of({"a": ("Rome", 1.0), "b": ("Oslo", 2.0)}), shops.folder / "shops/x.pq")
    shops.materialize()
    shops.now += HOUR
    pq.write_table(table_of({"a": ("Bern", 1.0), "b": ("Oslo", 2.0)}), shops.folder / "shops/x.pq")

    result = shops.materialize()

    assert (result.status, result.rows_out) == ("done", 1)
    assert [row[1:3] for row in stored(shops)] == [("a", "Rome"), ("b", "Oslo"), ("a", "Bern")]


def test_a_view_without_keys_has_one_row(shops: World) -> None:
    rates = FeatureView(
        "shops", entities=(), source=TABLE, schema=(Field("size", Float64),), snapshot=True
    )
    shops.views = [replace(rates, latest=False)]
    deliver(shops, {"a": (None, 1.0)})
    shops.materialize()
    deliver(shops, {"a": (None, 2.0)})

    assert shops.materialize().rows_out == 1


def test_a_derived_view_follows_changes_and_deletions(shops: World) -> None:
    city = FeatureView(
        "cities", entities=(SHOP,), source=SHOPS, schema=(Field("city", String),), latest=False
    )
    shops.views = [SHOPS, city]
    deliver(shops, {"a": ("Rome", 1.0), "b": ("Oslo", 2.0)})
    materialize(shops.job)
    deliver(shops, {"a": ("Rome", 9.0)})

    materialize(shops.job)

    rows = shops.rows("event_timestamp", "shop", "city", "_deleted", view="cities")
    newest = {row[1]: row[2:] for row in rows}
    assert newest == {"a": ("Rome", False), "b": (None, True)}


cities = st.sampled_from([None, "Rome", "Oslo", ""])
sizes = st.sampled_from([None, 0.0, -1.5, float("inf")])
values = st.tuples(cities, sizes)
# With a key: a delivery without any is refused.
states = st.builds(
    lambda keyed, keyless: {**keyed, **({} if keyless is None else {None: keyless})},
    st.dictionaries(st.sampled_from("abcd"), values, min_size=1, max_size=4),
    st.none() | values,
)


@pytest.mark.slow
@pytest.mark.hypothesis
@examples(4)  # each has three runs on Spark
@given(deliveries=st.lists(states, min_size=3, max_size=3))
def test_the_newest_stored_rows_are_the_delivered_state(
    tmp_path_factory: pytest.TempPathFactory, spark: object, deliveries: list[State]
) -> None:
    """Law: after each run the source holds, and each change is stored or quarantined once."""
    world = World(tmp_path_factory.mktemp("law"), spark, [SHOPS])  # type: ignore[arg-type]
    before: State = {}
    for state in deliveries:
        deliver(world, state)
        result = world.materialize()
        changed = {shop for shop in {*before, *state} if before.get(shop) != state.get(shop)}
        assert result.rows_out == len(changed - {None})
        assert result.rows_quarantined == (None in state and None in changed)
        assert result.rows_left_out == 0
        before = state
        rows = world.rows("event_timestamp", "shop", "city", "size", "_deleted", view="shops")
        newest = {row[1]: row for row in rows}
        held = {shop: row[2:4] for shop, row in newest.items() if not row[4]}
        assert held == {shop: values for shop, values in state.items() if shop is not None}
