"""What a task does with its slice, without Spark: the answers are those of the local engine."""

import pickle
from dataclasses import replace

import pyarrow as pa
import pytest

import featurestore as fs
from featurestore.client.label import label_query, timing_of
from featurestore.client.on_demand import import_functions
from featurestore.client.request import Request, compile_request
from featurestore.engines.spark.retrieve.task import (
    KEPT,
    LABEL_MOMENT,
    POSITION,
    LabelTask,
    SliceTask,
    SpineTimes,
    TableVersion,
    answer_slice,
    answered_pieces,
    bind_slice,
)
from featurestore.errors import RequestError, SpineError
from featurestore.store.columns import UTC_MICROS
from featurestore.times import to_micros
from tests.client.on_demand_shop import SPINE, filled_shop, project, returning
from tests.client.shop import HOUR, NOW, at

CALL = "get_historical_features('everything')"
LABEL = fs.Label("activity", "*", "count", horizon="2h", maturity="1h", name="paid")
ROWS = pa.table(SPINE).append_column("late", pa.array([at(11)] * 5, UTC_MICROS))


@pytest.fixture
def shop(tmp_path) -> fs.FeatureStore:
    return filled_shop(tmp_path)


def task_of(shop: fs.FeatureStore, request: Request, label: fs.Label | None = None) -> SliceTask:
    manifest, reader = shop.served(), shop._reader
    query = compile_request(manifest, request, ROWS)
    label_task = label and LabelTask(
        label_query(manifest, request, label, ROWS),
        name=label.name,
        mature_after=timing_of(label).mature_after,
        now=to_micros(NOW),
        immature=label.immature,
    )
    task = SliceTask(
        query,
        label=label_task,
        times=SpineTimes(request.timezone, request.null_times),
        functions=import_functions(query, reader.definitions),
    )
    pinned = reader.pin(task.stored, manifest)
    return replace(
        task, tables={name: TableVersion(each.uri, each.version) for name, each in pinned.items()}
    )


def kept(finished: pa.Table) -> pa.Table:
    return finished.filter(finished[KEPT]).drop_columns([KEPT])


@pytest.mark.parametrize("immature", ["drop", "keep", "flag"])
@pytest.mark.parametrize("time", ["event_timestamp", "late"])
def test_a_slice_is_answered_as_by_the_local_engine(shop, immature, time):
    label = replace(LABEL, immature=immature)
    options = {"timestamp_field": time}
    spine = ROWS.drop_columns("event_timestamp") if time == "late" else ROWS

    task = task_of(shop, Request(CALL, "everything", **options), label)
    finished = answer_slice(task, spine)

    local = shop.get_training_set("everything", spine, label=label, **options)
    assert kept(finished) == local.to_arrow()
    assert len(finished) - len(kept(finished)) == local.immature_rows


def test_the_label_has_moments_of_its_own(shop):
    bound = bind_slice(task_of(shop, Request(CALL, ["profile"]), LABEL), ROWS)

    hours = [moment // HOUR for moment in bound[LABEL_MOMENT].cast(pa.int64()).to_pylist()]
    assert hours == [5, 8, 8, 8, 8]
    assert bound.column_names == ["id", "event_timestamp", LABEL_MOMENT]


def test_features_of_the_request_alone_need_no_table(tmp_path):
    shop = project(tmp_path, returning('{"worth": total, "known": pc.is_valid(total)}'))
    shop.apply(shop.plan())
    task = task_of(shop, Request(CALL, ["worth"]))

    finished = answer_slice(task, ROWS)

    assert task.tables == {}
    assert kept(finished) == shop.get_historical_features(["worth"], ROWS).to_arrow()


def test_rows_that_do_not_fit_together_are_answered_in_parts(shop):
    spine = pa.concat_tables([ROWS] * 2000)
    task = task_of(shop, Request(CALL, "everything"))

    small = replace(task, memory_limit=1_000_000)
    finished = answer_slice(small, spine)

    assert max(piece.num_rows for piece in answered_pieces(small, spine)) < len(spine)
    assert kept(finished) == shop.get_historical_features("everything", spine).to_arrow()


def test_a_row_that_does_not_fit_names_the_setting(shop):
    task = replace(task_of(shop, Request(CALL, "everything")), memory_limit=10)

    with pytest.raises(RequestError) as refused:
        answer_slice(task, ROWS)

    assert (refused.value.call, "1MB" in refused.value.found) == (CALL, True)
    assert "spark.featurestore.taskMemory" in refused.value.fix


def test_an_error_names_the_row_of_the_whole_spine_if_it_has_an_order(shop):
    task = task_of(shop, Request(CALL, ["activity"], timezone="Europe/Paris"))
    slice_of_spine = pa.table({"id": [1, 1], "event_timestamp": ["1970-01-01 05:00", "noon"]})
    positions = pa.array([70, 1233])

    with pytest.raises(SpineError) as without_order:
        answer_slice(task, slice_of_spine)
    with pytest.raises(SpineError) as with_order:
        answer_slice(task, slice_of_spine.append_column(POSITION, positions))

    assert "row 1," not in without_order.value.found
    assert "row 1,233" in with_order.value.found


def test_a_task_is_plain_data_without_credentials(shop):
    task = task_of(shop, Request(CALL, ["activity", "profile"]), LABEL)

    sent = pickle.loads(pickle.dumps(task))

    assert sent == task
    assert {type(each) for each in sent.tables.values()} == {TableVersion}
