"""The next rating: a regression with and without the store's features.

The models are trained on ratings before `SPLIT`, and measured on ratings from then on. The
baseline uses only columns of the spine: the film's year and genres.
"""

import numpy as np
from pyspark.ml import Transformer
from pyspark.ml.evaluation import RegressionEvaluator
from pyspark.ml.regression import LinearRegression
from sklearn.ensemble import HistGradientBoostingRegressor

from demo.ecommerce.spine import GENRES
from demo.measure import Score, to_matrix, varying_columns
from demo.pipelines import Learner, evaluate_pipeline
from featurestore.client.frame.frame import FeatureFrame

SPLIT = "2012-01-01"
BASELINE = ("year", *(f"is_{genre.lower()}" for genre in GENRES))
LABEL = "rating"


def evaluate_regression(ratings: FeatureFrame) -> Score:
    """Return the score of scikit-learn's regression of the next rating."""
    train, test = ratings.split_by_time(SPLIT)
    return Score(
        "next rating, scikit-learn boosting",
        "RMSE",
        len(train),
        len(test),
        _boosting_rmse(train, test, BASELINE),
        _boosting_rmse(train, test, (*BASELINE, *train.features)),
    )


def evaluate_linear(ratings: FeatureFrame, lookup: Transformer | None = None) -> Score:
    """Return the score of MLlib's linear regression of the next rating.

    Args:
        ratings: The labelled ratings with their features.
        lookup: Looks up the features in the pipeline. None if it takes those of ``ratings``.
    """
    train, test = ratings.split_by_time(SPLIT)
    learner = Learner(
        "next rating, MLlib linear regression",
        "RMSE",
        BASELINE,
        LinearRegression(labelCol=LABEL, maxIter=20, regParam=0.01),
        RegressionEvaluator(labelCol=LABEL),
    )
    return evaluate_pipeline(learner, train, test, lookup)


def rmse(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Return the root of the mean squared error.

    Example:
        >>> rmse(np.array([1.0, 2.0]), np.array([1.0, 4.0])) == 2**0.5
        True
    """
    return float(np.sqrt(np.mean((truth - predicted) ** 2)))


def _boosting_rmse(train: FeatureFrame, test: FeatureFrame, columns: tuple[str, ...]) -> float:
    train_rows, test_rows = to_matrix(train, columns), to_matrix(test, columns)
    used = varying_columns(train_rows)
    model = HistGradientBoostingRegressor(
        max_iter=200,
        learning_rate=0.05,
        max_leaf_nodes=15,
        min_samples_leaf=50,
        random_state=0,
    ).fit(train_rows[:, used], train.to_arrow()[LABEL].to_numpy())
    return rmse(test.to_arrow()[LABEL].to_numpy(), model.predict(test_rows[:, used]))
