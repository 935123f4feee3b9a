"""Answers as files: any type of text is written, and CSV with lists is an error."""

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pytest

from featurestore.cli.rows import emit
from featurestore.client.frame.frame import FeatureFrame
from featurestore.errors import RequestError


def test_string_views_are_written_as_csv(tmp_path: Path) -> None:
    # Delta tables and Polars return text as string views.
    rows = pa.table({"id": pa.array(["a", "é"], pa.string_view()), "x": [0.5, None]})

    emit(FeatureFrame(rows, ("x",)), tmp_path / "rows.csv", "table")

    written = pacsv.read_csv(tmp_path / "rows.csv")
    assert written.to_pylist() == [{"id": "a", "x": 0.5}, {"id": "é", "x": None}]


def test_a_url_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(RequestError) as error:
        emit(FeatureFrame(pa.table({"id": [1]}), ()), "s3://bucket/rows.csv", "table")

    assert "s3://bucket/rows.csv" in error.value.call
    assert list(tmp_path.iterdir()) == []


def test_csv_has_no_lists(tmp_path: Path) -> None:
    rows = pa.table({"id": [1], "x_last3_7d": [[1.0, 2.0]]})

    with pytest.raises(RequestError) as error:
        emit(FeatureFrame(rows, ("x_last3_7d",)), tmp_path / "rows.csv", "table")

    assert "'x_last3_7d' holds list<" in error.value.found
    assert ".jsonl" in error.value.fix
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("rows", "features", "counts"),
    [(1, ("x",), ("1 row ", "1 feature ")), (2, ("x", "y"), ("2 rows ", "2 features "))],
)
def test_one_row_and_one_feature_are_counted_in_the_singular(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rows, features, counts
) -> None:
    table = pa.table({name: [1.0] * rows for name in features})

    emit(FeatureFrame(table, features), tmp_path / "rows.csv", "table")

    err = capsys.readouterr().err
    assert [count in err for count in counts] == [True, True]


def test_a_time_that_no_table_shows_is_named_with_what_was_written() -> None:
    far = pa.table({"id": [1], "far": pa.array([9 * 10**17], pa.timestamp("us", "UTC"))})

    with pytest.raises(RequestError) as error:
        emit(FeatureFrame(far, ()), None, "table")

    assert "'far'" in error.value.found
    assert "JSON" not in str(error.value)
