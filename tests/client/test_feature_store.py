"""A store reads applied definitions and pinned tables, without a JVM."""

import os
import subprocess
import sys
from dataclasses import replace

import pyarrow as pa
import pytest

import featurestore as fs
from featurestore.errors import (
    ConflictError,
    NotFoundError,
    ProjectError,
    RequestError,
    SpineError,
    SumOverflowError,
    TableError,
)
from featurestore.store.ledger.tables import Tables
from tests.client.shop import DEFINITIONS, HOUR, NOW, at, in_process, write_view
from tests.tables import feature_table

SPINE = [
    {"id": 1, "event_timestamp": at(3), "order": "x"},
    {"id": 2, "event_timestamp": at(8), "order": "y"},
    {"id": None, "event_timestamp": at(3), "order": "z"},
    {"id": 1, "event_timestamp": at(3), "order": "x"},
    {"id": 9, "event_timestamp": at(0.5), "order": "w"},
]


@pytest.mark.every_engine
def test_every_spine_row_is_answered_once_in_order_with_its_columns_first(filled, engine):
    frame = filled.get_historical_features("fraud", SPINE, engine=engine)

    table = frame.to_arrow()
    assert table.column_names == [
        "id", "event_timestamp", "order", "city",
        "amount_sum_2h", "amount_sum_lifetime", "count_2h", "spot_euro",
    ]  # fmt: skip
    assert table["order"].to_pylist() == ["x", "y", "z", "x", "w"]
    assert table["city"].to_pylist() == ["b", None, None, "b", None]
    assert table["amount_sum_2h"].to_pylist() == [3.0, None, None, 3.0, None]
    assert table["amount_sum_lifetime"].to_pylist() == [3.0, 10.0, None, 3.0, None]
    assert table["count_2h"].to_pylist() == [2, 0, None, 2, 0]
    assert table["spot_euro"].to_pylist() == [1.5, 1.5, 1.5, 1.5, None]


def test_rows_with_a_null_key_are_counted_by_view(filled, engine):
    frame = in_process(filled.get_historical_features("fraud", SPINE, engine=engine))

    assert frame.null_key_rows == {"profile": 1, "activity": 1, "rate": 0}
    assert frame.versions == {"profile": 0, "activity": 1, "rate": 0}


def test_a_training_set_has_its_label_and_needs_it(filled, engine):
    spine = [{**row, "bad": number % 2} for number, row in enumerate(SPINE)]

    frame = filled.get_training_set("fraud", spine, label="bad", engine=engine)

    assert frame.label == "bad"
    assert frame.to_arrow()["bad"].to_pylist() == [0, 1, 0, 1, 0]
    with pytest.raises(RequestError, match=r"'bda'.*'bad'"):
        filled.get_training_set("fraud", spine, label="bda", engine=engine)


def test_latest_values_are_the_historical_ones_at_now(filled):
    rows = [{"id": 1}, {"id": 2}, {"id": None}]

    latest = filled.get_latest_features("fraud", rows)

    spine = [{**row, "event_timestamp": NOW} for row in rows]
    assert latest.to_arrow() == filled.get_historical_features("fraud", spine).to_arrow()
    assert latest.to_arrow()["amount_sum_lifetime"].to_pylist() == [7.0, 10.0, None]
    with pytest.raises(SpineError) as error:
        filled.get_latest_features("fraud", spine)
    assert "'event_timestamp'" in error.value.found
    assert "get_historical_features" in error.value.fix


def test_each_cell_of_an_answer_is_explained_from_the_same_version(filled):
    frame = filled.get_historical_features("fraud", SPINE)

    city, total = frame.explain(0, "city"), frame.explain(0, "amount_sum_2h")
    null = frame.explain(1, "city")

    assert (city.reason, city.row["city"]) == ("answered", "b")
    assert [row["amount"] for row in total.rows] == [1.0, 2.0]
    assert null.reason == "expired"
    assert all(fact in null.text for fact in ("5:00:00 old", "ttl", "4:00:00"))
    assert frame.explain(2, "city").reason == "null_key"


def test_only_rows_and_features_of_the_frame_can_be_explained(filled):
    frame = filled.get_historical_features("fraud", SPINE)

    with pytest.raises(RequestError) as feature:
        frame.explain(0, "cty")
    with pytest.raises(RequestError) as row:
        frame.explain(5, "city")

    assert (feature.value.call, "'city'" in feature.value.fix) == ("explain(0, 'cty')", True)
    assert (row.value.call, "5 rows" in row.value.found) == ("explain(5, 'city')", True)


def test_an_explanation_has_times_and_the_version_of_the_table(filled):
    frame = filled.get_historical_features("fraud", SPINE)

    city, total = frame.explain(0, "city"), frame.explain(0, "amount_sum_2h")

    assert (city.version, total.version) == (0, 1)
    assert str(city).startswith("city (profile at version 0): ")
    assert "1970-01-01 02:00:00Z" in str(city)
    assert (city.row["event_timestamp"], city.row["available_timestamp"]) == (at(2), at(2))
    assert [row["event_timestamp"] for row in total.rows] == [at(1), at(2)]


def test_the_cells_of_a_part_are_explained_like_those_of_the_whole_frame(filled):
    frame = filled.get_historical_features("fraud", SPINE)

    early, late = frame.split_by_time(at(5))

    assert late.explain(0, "city").reason == "expired"
    assert early.explain(2, "city") == frame.explain(3, "city")
    with pytest.raises(RequestError, match=r"1 rows"):
        late.explain(1, "city")


def test_features_can_be_requested_without_a_service(filled, engine):
    references = ["activity:count_2h", "profile:city"]

    frame = filled.get_historical_features(references, SPINE[:1], engine=engine)

    assert frame.features == ("count_2h", "city")
    assert frame.to_arrow().select(frame.features).to_pylist() == [{"count_2h": 2, "city": "b"}]


@pytest.mark.every_engine
def test_a_spine_without_rows_has_all_columns_in_its_answer(filled, engine):
    spine = pa.table({"id": pa.array([], pa.int64()),
                     "event_timestamp": pa.array([], pa.timestamp("us", tz="UTC"))})  # fmt: skip

    table = filled.get_historical_features("fraud", spine, engine=engine).to_arrow()

    assert table.num_rows == 0
    assert table.schema.field("city").type == pa.string()
    assert table.schema.field("count_2h").type == pa.int64()


@pytest.mark.every_engine
def test_a_view_without_rows_answers_nulls_and_counts_zero(store, engine):
    empty = feature_table({"id": [1]}, [0], {"amount": [1.0]}).slice(0, 0)
    write_view(store, "activity", empty)

    frame = store.get_historical_features(["activity"], SPINE[:2], engine=engine)

    table = frame.to_arrow()
    assert table["amount_sum_2h"].to_pylist() == [None, None]
    assert table["count_2h"].to_pylist() == [0, 0]


def test_rows_without_a_time_have_null_features_if_they_are_kept(filled, engine):
    spine = [SPINE[0], {**SPINE[0], "event_timestamp": None}]

    with pytest.raises(SpineError, match=r"1 of 2 rows.*null_times="):
        filled.get_historical_features("fraud", spine, engine=engine)
    frame = filled.get_historical_features("fraud", spine, null_times="keep", engine=engine)

    assert frame.to_arrow()["count_2h"].to_pylist() == [2, None]


def test_a_view_that_was_never_materialized_is_an_error_with_the_command(store):
    with pytest.raises(TableError) as error:
        store.get_historical_features("fraud", SPINE)

    assert "'profile'" in error.value.found
    assert "`featurestore materialize profile activity rate`" in error.value.fix


def test_a_table_of_a_definition_that_no_version_has_is_an_error(filled, engine):
    tables = Tables(filled.layout)
    tables.record(replace(tables.current("profile"), fingerprint="of another release"))

    with pytest.raises(TableError) as error:
        filled.get_historical_features("fraud", SPINE, engine=engine)

    assert "'profile'" in error.value.found
    assert "`featurestore materialize profile`" in error.value.fix


def test_a_new_window_needs_no_new_table(filled, tmp_path, engine):
    path = tmp_path / "feature_defs" / "shop.py"
    path.write_text(DEFINITIONS.replace('"lifetime")', '"lifetime", "1h")'))
    plan = filled.plan()
    filled.apply(plan)

    frame = filled.get_historical_features(["activity:amount_sum_1h"], SPINE[:1], engine=engine)

    assert plan.builds == ()
    assert frame.to_arrow()["amount_sum_1h"].to_pylist() == [2.0]


def test_a_folder_without_a_project_or_without_applied_definitions_is_an_error(tmp_path):
    with pytest.raises(ProjectError, match=r"featurestore\.toml"):
        fs.FeatureStore(tmp_path)
    (tmp_path / "featurestore.toml").write_text('project = "shop"\n')

    with pytest.raises(NotFoundError, match=r"'shop'.*featurestore apply"):
        fs.FeatureStore(tmp_path).get_latest_features("fraud", [{"id": 1}])


def test_an_outdated_plan_is_not_applied(store, tmp_path):
    stale = store.plan()
    path = tmp_path / "feature_defs" / "shop.py"
    path.write_text(DEFINITIONS.replace('ttl="4h"', 'ttl="5h"'))
    store.apply(store.plan())

    with pytest.raises(ConflictError):
        store.apply(stale)
    assert store.applied().view("profile").ttl == "5h"


def test_status_has_the_state_of_each_table(filled):
    states = {view.view: (view.state, view.version, view.rows) for view in filled.status()}

    assert states == {
        "activity": ("current", 1, 4),
        "profile": ("current", 0, 3),
        "rate": ("current", 0, 1),
    }


ZONED = """
import sys, featurestore as fs
spine = [{"id": 1, "event_timestamp": "1970-01-01T04:00:00+01:00"}]
table = fs.FeatureStore(sys.argv[1]).get_historical_features("fraud", spine).to_arrow()
print(table.to_pylist())
"""


@pytest.mark.slow
def test_no_answer_depends_on_the_time_zone_of_the_machine(filled):
    answers = {
        subprocess.run(
            [sys.executable, "-c", ZONED, str(filled.settings.folder)],
            env={**os.environ, "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for zone in ("UTC", "America/Los_Angeles", "Asia/Kathmandu")
    }

    assert len(answers) == 1
    assert "'amount_sum_2h': 3.0" in answers.pop()


def test_reading_starts_no_jvm_and_does_not_load_pyspark(filled):
    code = ZONED + "\nassert not {'pyspark', 'py4j'} & set(sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", code, str(filled.settings.folder)], capture_output=True, check=False
    )

    assert done.returncode == 0, done.stderr.decode()


def test_status_does_not_load_pandas(filled):
    code = """
import sys, featurestore as fs
fs.FeatureStore(sys.argv[1]).status()
assert not {"pyspark", "pandas", "pandera"} & set(sys.modules)
"""

    done = subprocess.run(
        [sys.executable, "-c", code, str(filled.settings.folder)], capture_output=True, check=False
    )

    assert done.returncode == 0, done.stderr.decode()


def test_the_store_uses_its_clock(store):
    assert store.history()[0].applied_at == NOW


def test_a_memory_limit_that_is_too_small_is_an_error_and_a_larger_one_changes_no_answer(filled):
    rows = [{"id": 1, "event_timestamp": at(5)}]
    folder = filled.settings.folder
    whole = filled.get_historical_features("fraud", rows).to_arrow()

    fitting = fs.FeatureStore(folder, memory_limit="1MB")

    assert fitting.get_historical_features("fraud", rows).to_arrow() == whole
    with pytest.raises(RequestError) as error:
        fs.FeatureStore(folder, memory_limit="1kB").get_historical_features("fraud", rows)
    assert "memory_limit is 1kB" in error.value.found
    assert "memory_limit='1MB'" in error.value.fix
    with pytest.raises(ProjectError) as unknown:
        fs.FeatureStore(folder, memory_limit="2 apples")
    assert "'2 apples'" in unknown.value.found


def test_the_project_file_may_set_the_memory_limit(filled):
    file = filled.settings.folder / "featurestore.toml"
    file.write_text(file.read_text() + 'memory_limit = "1GiB"\n')

    assert fs.FeatureStore(filled.settings.folder).settings.memory_limit == 2**30
    assert fs.FeatureStore(filled.settings.folder, memory_limit=7).settings.memory_limit == 7


@pytest.mark.every_engine
def test_a_sum_that_overflows_is_an_error_with_its_call_definition_and_row(
    store, tmp_path, engine
):
    definitions = tmp_path / "feature_defs" / "big.py"
    definitions.write_text(
        "from .shop import *\n"
        "big = fs.FeatureView('big', entities=(card,), source=paid, schema=(\n"
        "    fs.Field('n', fs.Int64),), aggregations=(fs.Aggregation('n', 'sum'),))\n"
    )
    store.apply(store.plan())
    events = [HOUR, 2 * HOUR, HOUR]
    write_view(store, "big", feature_table({"id": [7, 7, 8]}, events, {"n": [2**62, 2**62, 1]}))
    spine = [{"id": 8, "event_timestamp": at(2)}, {"id": 7, "event_timestamp": at(3)}]

    with pytest.raises(SumOverflowError) as error:
        store.get_historical_features(["big"], spine, engine=engine).to_arrow()

    call = (
        "get_historical_features(['big'])",
        "'n_sum_lifetime'",
        "'big'",
        "feature_defs/big.py:2",
    )
    assert [part in error.value.call for part in call] == [True] * len(call)
    problem = ("Int64", "id=7", "1970-01-01T03:00:00Z", "row 1")
    assert [part in error.value.found for part in problem] == [True] * len(problem)
    fix = ("'n'", "Decimal(38, 0)", "Float64")
    assert [part in error.value.fix for part in fix] == [True] * len(fix)


@pytest.mark.parametrize("name", ["shop [copy]", "shop_feature%2Fnew", "a|b", "a^b"])
def test_a_root_whose_name_delta_cannot_open_is_an_error_with_the_way_out(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    (folder / "featurestore.toml").write_text('project = "t"\n', encoding="utf-8")

    with pytest.raises(ProjectError) as refused:
        fs.FeatureStore(folder)

    assert name in refused.value.found
    assert "root" in refused.value.fix
    text = f'project = "t"\nroot = "{tmp_path / "store"}"\n'
    (folder / "featurestore.toml").write_text(text, encoding="utf-8")
    assert fs.FeatureStore(folder).layout.root == str(tmp_path / "store" / "t")
