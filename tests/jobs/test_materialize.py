"""Materialization, from the source to the feature table, the ledgers and the latest table."""

from datetime import timedelta

import pytest

from featurestore.errors import NotFoundError
from featurestore.jobs.materialize import materialize
from featurestore.store.ledger import Runs, Tables
from tests.jobs.world import NOON, World


def test_first_run_builds_a_table_of_the_source_rows(world: World) -> None:
    world.pay(("a", 0, 1.0), ("b", 1, 2.0))

    result = world.materialize()

    assert (result.status, result.kind, result.version) == ("done", "build", 0)
    assert (result.rows_in, result.rows_out, result.null_rows) == (2, 2, 0)
    assert world.rows() == [("a", 0, 1.0), ("b", 1, 2.0)]
    assert world.latest() == [
        {"card_id": "a", "amount_sum_7d": 1.0, "as_of": world.now},
        {"card_id": "b", "amount_sum_7d": 2.0, "as_of": world.now},
    ]


def test_second_run_adds_what_is_new_late_rows_included(world: World) -> None:
    world.pay(("a", 5, 1.0))
    world.materialize()
    world.pay(("a", -20, 7.0), ("b", 6, 2.0))

    result = world.materialize()

    assert (result.status, result.kind, result.version) == ("done", "run", 1)
    assert (result.rows_in, result.rows_out) == (2, 2)
    assert world.rows() == [("a", -20, 7.0), ("a", 5, 1.0), ("b", 6, 2.0)]
    assert [row["amount_sum_7d"] for row in world.latest()] == [8.0, 2.0]


def test_a_run_without_new_data_commits_nothing_and_says_so(world: World) -> None:
    world.pay(("a", 0, 1.0))
    world.materialize()
    world.now += timedelta(hours=1)

    result = world.materialize()

    assert (result.status, result.version, result.rows_out) == ("nothing", 0, 0)
    assert result.message == "no new data: nothing was committed"
    assert world.table().version() == 0
    assert world.latest()[0]["as_of"] == NOON + timedelta(days=2)
    assert [run.status for run in Runs(world.layout).records()] == ["done", "nothing"]


def test_an_unknown_view_is_refused_with_near_names(world: World) -> None:
    with pytest.raises(NotFoundError, match="Did you mean 'spending'"):
        materialize(world.job, ["spendign"])

    assert Tables(world.layout).records() == ()
