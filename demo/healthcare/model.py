"""Diabetes within two years of a visit: gradient boosting, and a pipeline of MLlib.

The models are trained on visits whose two years ended before `SPLIT`, and measured on visits from
then on. The baseline uses only columns of the spine: age and sex. The calendar dates are invented
(see `demo.healthcare.data`). A patient may have visits in both parts, as in a clinic.
"""

import numpy as np
from pyspark.ml import Transformer
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.evaluation import BinaryClassificationEvaluator
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from demo.measure import Score, to_matrix, varying_columns
from demo.pipelines import Learner, evaluate_pipeline
from featurestore.client.frame.frame import FeatureFrame

SPLIT = "2004-01-01"
GAP = "730d"
BASELINE = ("age", "male")
LABEL = "diagnosed"


def evaluate(visits: FeatureFrame, lookup: Transformer | None = None) -> list[Score]:
    """Return the scores of scikit-learn's and of MLlib's model.

    Args:
        visits: The labelled visits with their features.
        lookup: Looks up the features in MLlib's pipeline. None if it takes those of ``visits``.
    """
    train, test = visits.split_by_time(SPLIT, gap=GAP)
    regression = Learner(
        "diabetes within 2 years, MLlib logistic regression",
        "ROC AUC",
        BASELINE,
        LogisticRegression(labelCol=LABEL, maxIter=20, regParam=0.01),
        BinaryClassificationEvaluator(labelCol=LABEL),
    )
    return [_boosting(train, test), evaluate_pipeline(regression, train, test, lookup)]


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
