"""Which views a trigger runs, without Spark: those whose own source has something new."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.definitions.model.source import KafkaSource
from featurestore.definitions.model.types import Field, Float64, String, Timestamp
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.source.checkpoint_owner import OWNER_FILE, record_owner
from featurestore.jobs.continuous.news import views_with_news
from tests.jobs.world import DERIVED, PAYMENTS, SPENDING, Store, other, stored_rows

TOPIC = KafkaSource(
    "paid",
    topic="paid",
    servers="broker:9092",
    schema=(Field("card_id", String), Field("at", Timestamp), Field("amount", Float64)),
    timestamp_field="at",
)
OF_TOPIC = other(SPENDING, source=TOPIC)
BELOW = other(DERIVED, source=OF_TOPIC)


def news(shop: Store, views: Sequence[FeatureView], idle: Sequence[str] = ()) -> list[str]:
    fingerprints = {view.name: table_fingerprint(view) for view in views}
    return [view.name for view in views_with_news(shop.layout, views, fingerprints, (), idle)]


@pytest.fixture
def read(shop: Store) -> Store:
    """The view of a topic has a table, whose rows the derived view has not."""
    shop.build(view=OF_TOPIC)
    shop.run(stored_rows("a"))
    return shop


def test_a_view_of_a_topic_has_news_unless_the_topic_is_idle(read: Store) -> None:
    assert news(read, [OF_TOPIC]) == ["spending"]
    assert news(read, [OF_TOPIC], idle=["spending"]) == []


def test_a_view_derived_from_an_idle_topic_is_built_and_reads_what_it_lacks(read: Store) -> None:
    assert news(read, [OF_TOPIC, BELOW], idle=["spending"]) == ["copied"]

    read.build("t2", view=BELOW, upstream="t1")

    assert news(read, [OF_TOPIC, BELOW], idle=["spending"]) == ["copied"]


def test_views_below_an_idle_topic_that_have_read_all_have_no_news(read: Store) -> None:
    grandchild = other(BELOW, name="grandchild", source=BELOW)
    read.build("t2", view=BELOW, upstream="t1")
    read.run(stored_rows("a"), "t2", "copied", pays=False)
    read.build("t3", view=grandchild, upstream="t2")
    read.run(stored_rows("a"), "t3", "grandchild", pays=False)

    assert news(read, [OF_TOPIC, BELOW, grandchild], idle=["spending"]) == []


def test_a_source_with_the_name_of_an_idle_view_is_not_idle(read: Store) -> None:
    view = other(SPENDING, name="of_table", source=replace(PAYMENTS, name="spending"))

    assert news(read, [OF_TOPIC, view], idle=["spending"]) == ["of_table"]


def test_an_idle_source_keeps_no_other_definition_from_its_build(read: Store) -> None:
    changed = other(OF_TOPIC, transform="SELECT card_id, at, amount * 2 AS amount FROM {source}")

    assert news(read, [changed], idle=["spending"]) == ["spending"]


def test_a_view_that_has_the_checkpoint_of_another_one_has_news(shop: Store) -> None:
    shop.build()
    shop.run(stored_rows("a"))
    own = shop.layout.checkpoint("t1", 0)
    record_owner(own, "spending")
    before = news(shop, [SPENDING])
    record_owner(shop.layout.checkpoint("t9", 0), "other")
    Path(shop.layout.checkpoint("t9", 0), OWNER_FILE).replace(Path(own, OWNER_FILE))

    assert (before, news(shop, [SPENDING])) == ([], ["spending"])
