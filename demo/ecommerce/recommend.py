"""Collaborative filtering (ALS) and kinds of users (KMeans), both by MLlib.

ALS learns a taste for every user and every film from ratings before `SPLIT`, and can only answer
for pairs of which it has seen both; on those later ratings it is measured here. Without the store
it learns the stars themselves. With it, it learns what is left of them when the film's and the
user's means *known at that moment* are taken off, and adds those known at the later moment: they
move on with every rating, where ALS's own tastes stand still.
"""

from dataclasses import dataclass, replace
from typing import Any

from pyspark.ml import Estimator, Pipeline, Transformer
from pyspark.ml.clustering import KMeans
from pyspark.ml.evaluation import ClusteringEvaluator, RegressionEvaluator
from pyspark.ml.feature import StandardScaler, VectorAssembler
from pyspark.ml.recommendation import ALS
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as sf

from demo.ecommerce.model import SPLIT
from demo.measure import Score
from featurestore.client.frame.frame import FeatureFrame

SEGMENTS = 4
# A mean of few ratings is drawn to the mean of all, as if five such ratings had been seen before.
_PRIOR_RATINGS = 5
_NEEDED = [
    "user_id",
    "movie_id",
    "event_timestamp",
    "rating",
    "movie_mean_lifetime",
    "raters_lifetime",
    "user_mean_lifetime",
    "user_ratings_lifetime",
]


@dataclass(frozen=True)
class Segment:
    """A kind of user.

    Args:
        users: How many there are.
        stars: Their mean rating.
        spread: The standard deviation of a user's ratings, in the mean.
        ratings: How many films such a user has rated, typically.
    """

    users: int
    stars: float
    spread: float
    ratings: float


def evaluate_als(ratings: FeatureFrame) -> Score:
    """Return ALS's score on later ratings of known users and films."""
    slim = replace(ratings, table=ratings.to_arrow().select(_NEEDED))
    seen, later = slim.split_by_time(SPLIT)
    train, test = _with_baseline(seen), _with_baseline(later)
    plain = _predicted(train.withColumn("target", sf.col("rating")), test)
    rest = _predicted(train.withColumn("target", sf.col("rating") - sf.col("baseline")), test)
    informed = rest.withColumn("prediction", sf.col("prediction") + sf.col("baseline")).cache()
    means_alone = _rmse(informed.withColumn("prediction", sf.col("baseline")))
    return Score(
        "next rating, MLlib ALS",
        "RMSE",
        len(seen),
        informed.count(),
        _rmse(plain),
        _rmse(informed),
        f"of {len(later):,} later ratings, those of users and films that ALS has seen; the "
        f"store's means alone, without ALS: {means_alone:.3f}",
    )


def find_segments(users: FeatureFrame) -> tuple[list[Segment], float]:
    """Return the kinds of users, largest first, and how well apart they are (silhouette)."""
    rated = users.to_spark().dropna().withColumn("log_ratings", sf.log1p("user_ratings_lifetime"))
    used = ["user_mean_lifetime", "user_stddev_lifetime", "log_ratings"]
    stages: list[Estimator[Any] | Transformer] = [
        VectorAssembler(inputCols=used, outputCol="assembled"),
        StandardScaler(inputCol="assembled", outputCol="features", withMean=True),
        KMeans(k=SEGMENTS, seed=0),
    ]
    grouped = Pipeline(stages=stages).fit(rated).transform(rated).cache()
    return _describe(grouped), float(ClusteringEvaluator().evaluate(grouped))


def _with_baseline(ratings: FeatureFrame) -> DataFrame:
    frame = ratings.to_spark()
    return frame.withColumn("baseline", _baseline()).cache()


def _baseline() -> Column:
    usual = sf.lit(3.5)
    film = _drawn_in("movie_mean_lifetime", "raters_lifetime", usual)
    user = _drawn_in("user_mean_lifetime", "user_ratings_lifetime", usual)
    return film + user - usual


def _drawn_in(mean: str, count: str, usual: Column) -> Column:
    seen, known = sf.col(count), sf.coalesce(sf.col(mean), usual)
    return (known * seen + usual * _PRIOR_RATINGS) / (seen + _PRIOR_RATINGS)


def _predicted(train: DataFrame, test: DataFrame) -> DataFrame:
    als = ALS(
        rank=10,
        numUserBlocks=2,
        numItemBlocks=2,
        maxIter=6,
        regParam=0.2,
        userCol="user_id",
        itemCol="movie_id",
        ratingCol="target",
        coldStartStrategy="drop",
        seed=0,
    )
    return als.fit(train).transform(test)


def _rmse(predicted: DataFrame) -> float:
    return float(RegressionEvaluator(labelCol="rating").evaluate(predicted))


def _describe(grouped: DataFrame) -> list[Segment]:
    rows = (
        grouped.groupBy("prediction")
        .agg(
            sf.count("*").alias("users"),
            sf.mean("user_mean_lifetime").alias("stars"),
            sf.mean("user_stddev_lifetime").alias("spread"),
            sf.median("user_ratings_lifetime").alias("ratings"),
        )
        .collect()
    )
    segments = [Segment(row.users, row.stars, row.spread, row.ratings) for row in rows]
    return sorted(segments, key=lambda segment: -segment.users)
