"""Diabetes within two years of a visit: gradient boosting, and a pipeline of MLlib.

The models are trained on visits whose two years ended before `SPLIT`, and measured on visits from
then on. The baseline uses only columns of the spine: age and sex. The calendar dates are invented
(see `demo.healthcare.data`). A patient may have visits in both parts, as in a clinic.
"""

from typing import Any

import numpy as np
from pyspark.ml import Estimator, Pipeline, Transformer
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.evaluation import BinaryClassificationEvaluator
from pyspark.ml.feature import Imputer, VectorAssembler
from pyspark.sql import DataFrame
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from demo.measure import Score, to_matrix, varying_columns
from featurestore.client.frame.frame import FeatureFrame

SPLIT = "2004-01-01"
GAP = "730d"
BASELINE = ("age", "male")
LABEL = "diagnosed"


def evaluate(visits: FeatureFrame) -> list[Score]:
    """Return the scores of scikit-learn's and of MLlib's model."""
    train, test = visits.split_by_time(SPLIT, gap=GAP)
    return [_boosting(train, test), _pipeline(train, test)]


def _boosting(train: FeatureFrame, test: FeatureFrame) -> Score:
    with_features = (*BASELINE, *train.features)
    return Score(
        "diabetes within 2 years, scikit-learn boosting",
        "ROC AUC",
        len(train),
        len(test),
        _boosting_auc(train, test, BASELINE),
        _boosting_auc(train, test, with_features),
    )


def _boosting_auc(train: FeatureFrame, test: FeatureFrame, columns: tuple[str, ...]) -> float:
    train_rows, test_rows = to_matrix(train, columns), to_matrix(test, columns)
    used = varying_columns(train_rows)
    model = HistGradientBoostingClassifier(
        max_iter=120,
        learning_rate=0.05,
        max_leaf_nodes=15,
        min_samples_leaf=50,
        l2_regularization=1.0,
        random_state=0,
    ).fit(train_rows[:, used], _labels(train))
    return float(roc_auc_score(_labels(test), model.predict_proba(test_rows[:, used])[:, 1]))


def _labels(frame: FeatureFrame) -> np.ndarray:
    return np.asarray(frame.to_arrow()[LABEL].to_numpy())


def _pipeline(train: FeatureFrame, test: FeatureFrame) -> Score:
    train_rows, test_rows = train.to_spark().cache(), test.to_spark().cache()
    used = varying_columns(to_matrix(train, train.features))
    features = [name for name, use in zip(train.features, used, strict=True) if use]
    return Score(
        "diabetes within 2 years, MLlib logistic regression",
        "ROC AUC",
        len(train),
        len(test),
        _pipeline_auc(train_rows, test_rows, list(BASELINE)),
        _pipeline_auc(train_rows, test_rows, [*BASELINE, *features]),
    )


def _pipeline_auc(train: DataFrame, test: DataFrame, columns: list[str]) -> float:
    filled = [f"{column}_filled" for column in columns]
    stages: list[Estimator[Any] | Transformer] = [
        Imputer(inputCols=columns, outputCols=filled),
        VectorAssembler(inputCols=filled, outputCol="features"),
        LogisticRegression(labelCol=LABEL, maxIter=20, regParam=0.01),
    ]
    model = Pipeline(stages=stages).fit(train)
    return float(BinaryClassificationEvaluator(labelCol=LABEL).evaluate(model.transform(test)))
