from statistics import stdev

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.monitoring.distribution import distribution
from featurestore.monitoring.merge import merged
from tests.monitoring.profiles import numbers, texts

values = st.lists(st.floats(-100, 100).map(lambda number: round(number, 3)), min_size=1)


@given(st.lists(values, min_size=1, max_size=4))
def test_the_profile_of_parts_is_that_of_all_rows(parts: list[list[float]]) -> None:
    together = [value for part in parts for value in part]
    profiles = [numbers(part, absent=1) for part in parts]

    found, own = merged(profiles), distribution(merged(profiles))

    assert (found.rows, found.nulls) == (len(together) + len(parts), len(parts))
    assert (found.minimum, found.maximum) == (min(together), max(together))
    assert found.mean == pytest.approx(np.mean(together), abs=1e-9)
    if len(together) > 1:
        assert found.stddev == pytest.approx(stdev(together), abs=1e-6)
    at = np.unique(together)
    exact = np.searchsorted(np.sort(together), at, side="right") / len(together)
    error = max(each.error + 1 / each.values for each in map(distribution, profiles) if each)
    assert own is not None
    assert np.abs(own.up_to(at) - exact).max() <= error + 1e-9


def test_frequent_values_are_counted_together() -> None:
    found = merged([texts(["a", "a", "b"]), texts(["b", "b", "c"])])

    assert dict(found.top or ()) == {"a": 2, "b": 3, "c": 1}
