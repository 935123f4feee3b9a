"""Collaborative filtering (ALS) and kinds of users (KMeans), both of MLlib.

ALS learns factors of each user and each film from the ratings before `SPLIT`. It can predict only
ratings of users and films that it has learnt, so it is measured on such later ratings. Without the
store it learns the rating. With the store it learns the rating minus a baseline: the means of the
film and of the user, as of the moment of the rating. A prediction adds the baseline as of its own
moment. So the baseline follows new ratings, while ALS's factors stay the same.
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
from demo.pipelines import spine_frame
from featurestore.client.frame.frame import FeatureFrame

SEGMENTS = 4
# A mean of few ratings is moved towards the usual rating, as if there were five more of that.
_PRIOR_RATINGS = 5
_COLUMNS = [
    "user_id",
    "movie_id",
    "event_timestamp",
    "rating",
    "movie_mean_lifetime",
    "raters_lifetime",
    "user_mean_lifetime",
    "user_ratings_lifetime",
]
_OF_SPINE = 4


@dataclass(frozen=True)
class Segment:
    """A kind of user.

    Args:
        users: How many there are.
        stars: Their mean rating.
        spread: The standard deviation of a user's ratings, in the mean.
        ratings: The median number of films that such a user has rated.
    """

    users: int
    stars: float
    spread: float
    ratings: float


def evaluate_als(ratings: FeatureFrame, lookup: Transformer | None = None) -> Score:
    """Return ALS's score on the later ratings of users and films that it has learnt.

    Args:
        ratings: The labelled ratings with their features.
        lookup: Looks up the means of films and users. None to take those of ``ratings``.
    """
    columns = _COLUMNS if lookup is None else _COLUMNS[:_OF_SPINE]
    narrow = replace(ratings, table=ratings.to_arrow().select(columns))
    before, after = narrow.split_by_time(SPLIT)
    train, test = _with_baseline(before, lookup), _with_baseline(after, lookup)
    plain = _predict(train.withColumn("target", sf.col("rating")), test)
    rest = _predict(train.withColumn("target", sf.col("rating") - sf.col("baseline")), test)
    with_store = rest.withColumn("prediction", sf.col("prediction") + sf.col("baseline")).cache()
    baseline_alone = _rmse(with_store.withColumn("prediction", sf.col("baseline")))
    return Score(
        "next rating, MLlib ALS",
        "RMSE",
        len(before),
        with_store.count(),
        _rmse(plain),
        _rmse(with_store),
        f"measured on the ratings of users and films that ALS has learnt, of {len(after):,} later "
        f"ratings; the store's means alone, without ALS: {baseline_alone:.3f}",
    )


def find_segments(
    users: FeatureFrame, lookup: Transformer | None = None
) -> tuple[list[Segment], float]:
    """Return the kinds of users, the largest first, and their separation (silhouette).

    Args:
        users: The users with their features.
        lookup: Looks up the features of the users. None to take those of ``users``.
    """
    rows = users.to_spark()
    if lookup is not None:
        rows = lookup.transform(spine_frame(users).to_spark())
    rated = rows.dropna().withColumn("log_ratings", sf.log1p("user_ratings_lifetime"))
    used = ["user_mean_lifetime", "user_stddev_lifetime", "log_ratings"]
    stages: list[Estimator[Any] | Transformer] = [
        VectorAssembler(inputCols=used, outputCol="assembled"),
        StandardScaler(inputCol="assembled", outputCol="features", withMean=True),
        KMeans(k=SEGMENTS, seed=0),
    ]
    grouped = Pipeline(stages=stages).fit(rated).transform(rated).cache()
    return _describe(grouped), float(ClusteringEvaluator().evaluate(grouped))


def _with_baseline(ratings: FeatureFrame, lookup: Transformer | None) -> DataFrame:
    frame = ratings.to_spark()
    if lookup is not None:
        frame = lookup.transform(frame)
    return frame.withColumn("baseline", _baseline()).cache()


def _baseline() -> Column:
    usual = sf.lit(3.5)
    film = _shrunk_mean("movie_mean_lifetime", "raters_lifetime", usual)
    user = _shrunk_mean("user_mean_lifetime", "user_ratings_lifetime", usual)
    return film + user - usual


def _shrunk_mean(mean: str, count: str, usual: Column) -> Column:
    ratings, average = sf.col(count), sf.coalesce(sf.col(mean), usual)
    return (average * ratings + usual * _PRIOR_RATINGS) / (ratings + _PRIOR_RATINGS)


def _predict(train: DataFrame, test: DataFrame) -> DataFrame:
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
