"""`FeatureLookup` in MLlib's pipelines: its answers, its pin, and its refusals."""

import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.errors import PySparkException
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.functions import vector_to_array
from pyspark.ml.regression import LinearRegression

import featurestore as fs
from featurestore.errors import FeatureStoreError, NotFoundError, RequestError
from featurestore.integrations.mllib import FeatureLookup
from tests.client.conftest import filled, session, store  # noqa: F401 - fixtures
from tests.client.shop import DEFINITIONS, HOUR, NOW, at, write_view
from tests.tables import feature_table

FEATURES = ["activity", "rate"]
ROWS = [
    {"id": number % 2 + 1, "event_timestamp": at(1.5 + number % 4), "y": float(number)}
    for number in range(12)
]


@pytest.fixture
def shop(filled, spark) -> fs.FeatureStore:  # noqa: F811 - the fixture
    return fs.FeatureStore(filled.settings.folder, clock=lambda: NOW, spark=spark)


@pytest.fixture
def spine(spark):
    return spark.createDataFrame(pa.Table.from_pylist(ROWS))


def lookup_of(shop, **choices):
    return FeatureLookup.from_store(shop, FEATURES, **choices)


def in_order(frame) -> list[dict[str, object]]:
    return sorted(frame.toArrow().to_pylist(), key=lambda row: row["y"])


@pytest.mark.parametrize("engine", ["spark", "local"])
def test_a_stage_adds_the_features_of_each_moment(shop, spine, engine):
    expected = shop.get_historical_features(FEATURES, ROWS)

    lookup = lookup_of(shop, engine=engine)

    assert in_order(lookup.transform(spine)) == expected.to_arrow().to_pylist()
    assert lookup.feature_columns == expected.features


def test_a_saved_pipeline_answers_as_it_was_pinned_after_the_project_moved_and_changed(
    shop, spine, tmp_path
):
    lookup = lookup_of(shop, vector="features", nulls="skip")
    stages = [lookup, LinearRegression(labelCol="y", maxIter=1, solver="normal", regParam=1.0)]
    model = Pipeline(stages=stages).fit(spine)
    before = predictions(model, spine)
    model.write().overwrite().save(str(tmp_path / "model"))

    moved = shutil.copytree(shop.settings.folder, tmp_path / "moved", ignore=only_the_project)
    other = fs.FeatureStore(moved, clock=lambda: NOW)
    changed = DEFINITIONS.replace('windows=("2h", "lifetime")', 'windows=("1h", "lifetime")')
    (moved / "feature_defs" / "shop.py").write_text(changed)
    other.apply(other.plan())
    loaded = PipelineModel.load(str(tmp_path / "model"))
    loaded.stages[0].use_project(str(moved))

    assert loaded.stages[0].pinned == lookup.pinned
    assert len(before) > 5
    assert predictions(loaded, spine) == pytest.approx(before)


def predictions(model, spine) -> list[float]:
    rows = model.transform(spine).select("y", "prediction")
    return [row["prediction"] for row in in_order(rows)]


def only_the_project(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name in ("model", "moved", "other")}


def test_a_project_without_the_pinned_definitions_is_refused(shop, spine, tmp_path):
    empty = Path(tmp_path / "other")
    (empty / "feature_defs").mkdir(parents=True)
    (empty / "featurestore.toml").write_text('project = "other"\n')
    (empty / "feature_defs" / "shop.py").write_text(DEFINITIONS.replace("2h", "3h"))
    fs.FeatureStore(empty).apply(fs.FeatureStore(empty).plan())
    lookup = lookup_of(shop).use_project(str(empty))

    with pytest.raises(NotFoundError) as refused:
        lookup.transform(spine)

    assert "activity" in refused.value.found


def test_a_copy_with_the_folder_of_another_project_answers_from_that_project(
    shop, spine, tmp_path
):
    other = shutil.copytree(shop.settings.folder, tmp_path / "other", ignore=only_the_project)
    there = fs.FeatureStore(other, clock=lambda: NOW)
    rows = feature_table({"id": [1, 2]}, [HOUR] * 2, {"amount": [1000.0, 2000.0]})
    write_view(there, "activity", rows, table_id="activity-2")
    lookup = lookup_of(shop)
    before = in_order(lookup.transform(spine))

    copied = in_order(lookup.transform(spine, {lookup.project: str(other)}))

    expected = there.get_historical_features(FEATURES, ROWS).to_arrow().to_pylist()
    assert copied == expected != before
    assert in_order(lookup.transform(spine)) == before


def test_a_stage_that_is_not_pinned_is_refused(spine):
    with pytest.raises(RequestError) as refused:
        FeatureLookup().transform(spine)

    assert "from_store" in refused.value.fix


@pytest.mark.parametrize(
    "choices", [{"engine": "sparc"}, {"nulls": "kep"}, {"null_times": "errors"}]
)
def test_a_wrong_choice_is_refused_with_the_nearest(shop, choices):
    with pytest.raises(RequestError) as refused:
        lookup_of(shop, **choices)

    assert "Did you mean" in refused.value.fix


def test_features_that_make_no_vector_are_refused_when_the_stage_is_made(shop):
    with pytest.raises(RequestError) as texts:
        FeatureLookup.from_store(shop, ["profile", "rate"], vector="v")
    with pytest.raises(RequestError) as taken:
        FeatureLookup.from_store(shop, "rate", vector="euro")

    assert texts.value.call == "FeatureLookup.from_store(['profile', 'rate'])"
    assert "city (string)" in texts.value.found
    assert "euro" not in texts.value.found
    assert "StringIndexer" in texts.value.fix
    assert taken.value.call == "FeatureLookup.from_store('rate')"
    assert "'euro'" in taken.value.found
    assert FeatureLookup.from_store(shop, "profile").feature_columns == ("city",)


@pytest.mark.parametrize("engine", ["spark", "local"])
def test_features_become_a_vector_with_nulls_as_nan_or_without_their_rows(shop, engine):
    frame = shop.get_historical_features(FEATURES, ROWS, engine=engine)
    local = shop.get_historical_features(FEATURES, ROWS)
    matrix, _ = local.to_numpy()
    complete = ~(matrix != matrix).any(axis=1)

    kept, skipped = (frame.to_spark(vector="v", nulls=nulls) for nulls in ("keep", "skip"))

    assert 0 < complete.sum() < len(ROWS)
    assert as_lists(kept) == pytest.approx(matrix.ravel().tolist(), nan_ok=True)
    assert as_lists(skipped) == matrix[complete].ravel().tolist()


def as_lists(frame) -> list[float]:
    rows = in_order(frame.select("y", vector_to_array("v").alias("v")))
    return [value for row in rows for value in row["v"]]


def test_nulls_of_a_local_frame_are_refused_at_once_and_those_of_spark_when_computed(shop):
    local = shop.get_historical_features(FEATURES, ROWS)
    distributed = shop.get_historical_features(FEATURES, ROWS, engine="spark")

    with pytest.raises(RequestError) as refused:
        local.to_spark(vector="v")
    rows = distributed.to_spark(vector="v")

    assert "amount_sum_2h" in refused.value.found
    with pytest.raises(PySparkException) as failed:
        rows.toArrow()
    for words in ("to_spark(vector='v')", "amount_sum_2h", 'nulls="keep"', 'nulls="skip"'):
        assert words in str(failed.value)
    assert "euro" not in str(failed.value)  # it is not null
    assert rows.drop("v").count() == len(ROWS)


def test_rows_without_nulls_have_the_vector_of_mllib_with_the_names_of_its_features(shop):
    frame = shop.get_historical_features(FEATURES, ROWS, engine="spark")
    complete = " AND ".join(f"{name} IS NOT NULL" for name in frame.features)

    checked = frame.to_spark(vector="v").where(complete)
    kept = frame.to_spark(vector="v", nulls="keep").where(complete)

    assert in_order(checked.select("y", vector_to_array("v").alias("v"))) == in_order(
        kept.select("y", vector_to_array("v").alias("v"))
    )
    names = [each["name"] for each in names_in(checked.schema["v"].metadata)]
    assert names == list(frame.features)


def names_in(metadata: dict) -> list[dict]:
    """Return what MLlib notes of each feature, in their order."""
    groups = metadata["ml_attr"]["attrs"].values()
    return sorted((each for group in groups for each in group), key=lambda each: each["idx"])


@pytest.mark.parametrize("engine", ["spark", "local"])
def test_nulls_of_a_stage_are_an_error_of_the_stage(shop, spine, engine):
    lookup = lookup_of(shop, vector="v", engine=engine)

    with pytest.raises((RequestError, PySparkException)) as refused:
        lookup.transform(spine).toArrow()

    assert "amount_sum_2h" in str(refused.value)
    assert 'nulls="keep"' in str(refused.value)
    assert "FeatureLookup of activity, rate" in str(refused.value)
    assert "to_spark" not in str(refused.value)


@pytest.mark.parametrize(("features", "vector"), [(["profile"], "v"), (["rate"], "y")])
def test_texts_and_a_name_that_is_taken_make_no_vector(shop, features, vector):
    frame = shop.get_historical_features(features, ROWS)

    with pytest.raises(FeatureStoreError) as refused:
        frame.to_spark(vector=vector, nulls="keep")

    assert refused.value.call == f"to_spark(vector={vector!r})"
