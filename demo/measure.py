"""Scores of models on later data, and the numbers that scikit-learn takes from a training set."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from featurestore.client.frame.frame import FeatureFrame

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """One model's score on rows later than those it was trained on.

    Args:
        model: The model, and what it predicts.
        metric: What is measured; ``RMSE`` is better when lower, the others when higher.
        train_rows: Rows it was trained on.
        test_rows: Rows it was measured on.
        without: The score of the same model with only what the spine itself holds.
        with_store: The score with the store's features as well.
        note: What a reader should know about it.
    """

    model: str
    metric: str
    train_rows: int
    test_rows: int
    without: float
    with_store: float
    note: str = ""


def to_matrix(frame: FeatureFrame, columns: Sequence[str]) -> Matrix:
    """Return columns as numbers, nulls as NaN, which gradient boosting takes as they are.

    Example:
        >>> import pyarrow as pa
        >>> frame = FeatureFrame(pa.table({"x": [1, None], "y": [True, False]}), ())
        >>> to_matrix(frame, ["x", "y"]).tolist()
        [[1.0, 1.0], [nan, 0.0]]
    """
    table = frame.to_arrow()
    return np.column_stack([_numbers(table[name].combine_chunks()) for name in columns])


def informative(train: Matrix) -> npt.NDArray[np.bool_]:
    """Return which columns vary in the training rows: the others teach nothing.

    scikit-learn's histogram boosting refuses a column without any value.

    Example:
        >>> informative(np.array([[1.0, np.nan, 3.0], [2.0, np.nan, 3.0]])).tolist()
        [True, False, False]
    """
    lowest = np.where(np.isnan(train), np.inf, train).min(axis=0)
    highest = np.where(np.isnan(train), -np.inf, train).max(axis=0)
    return np.asarray(highest > lowest)


def _numbers(column: pa.Array) -> Matrix:
    values = column.cast("float64") if str(column.type) != "bool" else column.cast("int8")
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)
