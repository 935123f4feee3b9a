"""Models that Spark trains, on small frames in which a feature determines the label."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from demo.ecommerce.model import BASELINE, evaluate_linear
from demo.ecommerce.recommend import evaluate_als, find_segments
from demo.healthcare.model import evaluate
from featurestore.client.frame.frame import FeatureFrame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def moments(first: datetime, days: np.ndarray) -> pa.Array:
    return pa.array([first + timedelta(days=int(day)) for day in days], pa.timestamp("us", "UTC"))


def test_als_with_the_stores_means_predicts_better(spark: "SparkSession") -> None:
    rng = np.random.default_rng(0)
    users, movies = rng.integers(0, 20, 600), rng.integers(0, 15, 600)
    films = np.linspace(1.5, 4.5, 15)[movies]
    table = pa.table(
        {
            "user_id": users,
            "movie_id": movies,
            "event_timestamp": moments(datetime(2011, 1, 1, tzinfo=UTC), np.arange(600)),
            "rating": films + rng.normal(0, 0.1, 600),
            "movie_mean_lifetime": films,
            "raters_lifetime": np.full(600, 1_000),
            "user_mean_lifetime": np.full(600, 3.5),
            "user_ratings_lifetime": np.full(600, 1_000),
        }
    )

    score = evaluate_als(FeatureFrame(table, (), _spark_session=lambda: spark))

    assert score.train_rows == 365
    assert score.test_rows == 235
    assert score.with_store == pytest.approx(0.1, abs=0.05)
    assert score.with_store < score.without_store


def test_the_largest_kind_of_users_comes_first(spark: "SparkSession") -> None:
    rng = np.random.default_rng(0)
    sizes, stars = [40, 30, 20, 10], [4.5, 3.5, 2.5, 1.5]
    means = np.concatenate([np.full(size, star) for size, star in zip(sizes, stars, strict=True)])
    table = pa.table(
        {
            "user_mean_lifetime": means,
            "user_stddev_lifetime": 1 + rng.normal(0, 0.001, 100),
            "user_ratings_lifetime": np.rint(np.exp(means)).astype(int),
        }
    )

    segments, silhouette = find_segments(
        FeatureFrame(table, tuple(table.column_names), _spark_session=lambda: spark)
    )

    assert sum(kind.users for kind in segments) == 100
    assert [kind.users for kind in segments] == sorted(
        (kind.users for kind in segments), reverse=True
    )
    assert silhouette > 0.3


def test_both_diagnosis_models_learn_only_from_the_stores_features(
    spark: "SparkSession",
) -> None:
    rng = np.random.default_rng(0)
    days = np.sort(rng.integers(0, 3_000, 2_000))
    signal = rng.normal(0, 1, 2_000)
    table = pa.table(
        {
            "event_timestamp": moments(datetime(2000, 1, 1, tzinfo=UTC), days),
            "age": rng.uniform(20, 80, 2_000),
            "male": rng.integers(0, 2, 2_000),
            "signal": pa.array(signal, mask=rng.random(2_000) < 0.1),
            "always_null": pa.nulls(2_000, pa.float64()),
            "diagnosed": (signal > 1).astype(int),
        }
    )

    scores = evaluate(
        FeatureFrame(table, ("signal", "always_null"), "diagnosed", _spark_session=lambda: spark)
    )

    for score in scores:
        assert score.train_rows + score.test_rows < 2_000, score.model
        assert score.without_store == pytest.approx(0.5, abs=0.1), score.model
        assert score.with_store > 0.85, score.model


def test_a_linear_regression_learns_from_the_stores_features(spark: "SparkSession") -> None:
    rng = np.random.default_rng(0)
    genres = {name: rng.integers(0, 2, 600) for name in BASELINE if name != "year"}
    signal = rng.normal(3, 1, 600)
    table = pa.table(
        {
            "event_timestamp": moments(datetime(2011, 1, 1, tzinfo=UTC), np.arange(600)),
            "year": rng.integers(1950, 2010, 600),
            **genres,
            "mean": pa.array(signal, mask=rng.random(600) < 0.1),
            "title": ["a text"] * 600,
            "rating": signal,
        }
    )

    score = evaluate_linear(
        FeatureFrame(table, ("mean", "title"), "rating", _spark_session=lambda: spark)
    )

    assert score.without_store == pytest.approx(1.0, abs=0.15)
    assert score.with_store < 0.5
