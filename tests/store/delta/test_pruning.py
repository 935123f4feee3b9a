"""A file is skipped only if its statistics prove that no value is within the bounds."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from featurestore.store.delta.pruning import may_hold

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def files(column: str, low: list[object], high: list[object]) -> pa.Table:
    return pa.table(
        {
            "path": [str(i) for i in range(len(low))],
            "min": pa.array([{column: value} for value in low]),
            "max": pa.array([{column: value} for value in high]),
        }
    )


def test_files_are_skipped_only_if_their_statistics_prove_it() -> None:
    bounds = files("k", [1, 5, None], [4, 9, None])

    assert may_hold(bounds, "k", 5, 6).tolist() == [False, True, True]
    assert may_hold(bounds, "k", None, 4).tolist() == [True, False, True]
    assert may_hold(bounds, "other", 100, 200).tolist() == [True, True, True]
    assert may_hold(bounds.select(["path"]), "k", 100, 200).tolist() == [True, True, True]


def test_long_text_bounds_are_prefixes_and_keep_the_file() -> None:
    bounds = files("k", ["a"], ["m" * 32])

    assert may_hold(bounds, "k", "m" * 40, None).tolist() == [True]
    assert may_hold(files("k", ["a"], ["m"]), "k", "mm", None).tolist() == [False]


@given(st.integers(0, 5_000), st.integers(0, 5_000))
def test_a_timestamp_bound_cut_to_milliseconds_never_loses_its_file(value, bound) -> None:
    moment = DAY + timedelta(microseconds=value)
    cut = DAY + timedelta(milliseconds=value // 1000)
    low = pa.scalar(DAY + timedelta(microseconds=bound), pa.timestamp("us", tz="UTC"))
    bounds = files("at", [cut], [cut])

    [read] = may_hold(bounds, "at", low, None).tolist()

    assert read or moment < low.as_py()
