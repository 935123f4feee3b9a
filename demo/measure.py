"""Scores of models on later data, and the matrices that scikit-learn needs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from featurestore.client.frame.frame import FeatureFrame

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """One model's score on rows that are later than its training rows.

    Args:
        model: The model and what it predicts.
        metric: The name of the score. A lower ``RMSE`` is better; of the others, a higher value.
        train_rows: The number of training rows.
        test_rows: The number of rows on which the model was measured.
        without_store: The score of the same model with the columns of the spine only.
        with_store: The score with the store's features too.
        note: A remark for the reader.
    """

    model: str
    metric: str
    train_rows: int
    test_rows: int
    without_store: float
    with_store: float
    note: str = ""


def to_matrix(frame: FeatureFrame, columns: Sequence[str]) -> Matrix:
    """Return columns as numbers, with nulls as NaN. Gradient boosting accepts NaN.

    Example:
        >>> import pyarrow as pa
        >>> frame = FeatureFrame(pa.table({"x": [1, None], "y": [True, False]}), ())
        >>> to_matrix(frame, ["x", "y"]).tolist()
        [[1.0, 1.0], [nan, 0.0]]
    """
    table = frame.to_arrow()
    return np.column_stack([_numbers(table[name].combine_chunks()) for name in columns])


def varying_columns(train: Matrix) -> npt.NDArray[np.bool_]:
    """Return which columns have more than one value in the training rows.

    A model learns nothing from the other columns. scikit-learn's histogram boosting even fails for
    a column without any value.

    Example:
        >>> varying_columns(np.array([[1.0, np.nan, 3.0], [2.0, np.nan, 3.0]])).tolist()
        [True, False, False]
    """
    lowest = np.where(np.isnan(train), np.inf, train).min(axis=0)
    highest = np.where(np.isnan(train), -np.inf, train).max(axis=0)
    return np.asarray(highest > lowest)


def _numbers(column: pa.Array) -> Matrix:
    values = column.cast("float64") if str(column.type) != "bool" else column.cast("int8")
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)
