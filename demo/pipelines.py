"""Models of MLlib in pipelines that look up the store's features by themselves.

The pipeline's input is the spine: keys, moments and the label. Its first stage looks up the
features of each moment, so a saved pipeline can score new rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
from pyspark.ml import Estimator, Pipeline, Transformer
from pyspark.ml.evaluation import Evaluator
from pyspark.ml.feature import Imputer, VectorAssembler
from pyspark.sql import DataFrame

from demo.measure import Score, to_matrix, varying_columns
from featurestore.client.frame.frame import FeatureFrame


@dataclass(frozen=True)
class Learner:
    """What a pipeline learns, and how it is measured.

    Args:
        name: The model and what it predicts.
        metric: The name of the score.
        baseline: The columns of the spine that it uses, numbers.
        estimator: The model. It reads the column ``features``.
        evaluator: Computes the score.
    """

    name: str
    metric: str
    baseline: tuple[str, ...]
    estimator: Estimator[Any]
    evaluator: Evaluator


def evaluate_pipeline(
    learner: Learner,
    train: FeatureFrame,
    test: FeatureFrame,
    lookup: Transformer | None = None,
    features: Sequence[str] | None = None,
) -> Score:
    """Return the score of a model without and with the store's features.

    Args:
        learner: The model.
        train: The rows to learn from.
        test: Later rows.
        lookup: Looks up the features. None if the rows have them.
        features: The features to use. None for all that are numbers and vary.
    """
    used = _usable(train, train.features if features is None else features)
    rows = _spine(train, lookup), _spine(test, lookup)
    first = [] if lookup is None else [lookup]
    baseline = list(learner.baseline)
    return Score(
        learner.name,
        learner.metric,
        len(train),
        len(test),
        _score(learner, rows, [], baseline),
        _score(learner, rows, first, [*baseline, *used]),
    )


def _score(
    learner: Learner,
    rows: tuple[DataFrame, DataFrame],
    first: Sequence[Transformer],
    columns: list[str],
) -> float:
    train, test = rows
    filled = [f"{column}_filled" for column in columns]
    stages: list[Estimator[Any] | Transformer] = [
        *first,
        Imputer(inputCols=columns, outputCols=filled),
        VectorAssembler(inputCols=filled, outputCol="features"),
        learner.estimator,
    ]
    return float(learner.evaluator.evaluate(Pipeline(stages=stages).fit(train).transform(test)))


def spine_frame(frame: FeatureFrame) -> FeatureFrame:
    """Return the rows of a frame without their features."""
    spine = frame.to_arrow().drop_columns(list(frame.features))
    return replace(frame, table=spine, features=())


def _spine(frame: FeatureFrame, lookup: Transformer | None) -> DataFrame:
    return (frame if lookup is None else spine_frame(frame)).to_spark().cache()


def _usable(train: FeatureFrame, features: Sequence[str]) -> list[str]:
    """Return the features that are numbers and have more than one value in the training rows."""
    types = train.to_arrow().schema
    numbers = [name for name in features if _is_number(types.field(name).type)]
    varying = varying_columns(to_matrix(train, numbers))
    return [name for name, varies in zip(numbers, varying, strict=True) if varies]


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
