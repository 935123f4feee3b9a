"""JSON of the command line: each strict reader takes it, and no value is lost."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.client.display.json_text import duration_text, json_text
from featurestore.errors import RequestError

DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def strict(text: str) -> object:
    def refuse(constant: str) -> object:
        raise ValueError(constant)

    return json.loads(text, parse_constant=refuse)


def finite(value: object) -> object:
    if isinstance(value, dict):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [finite(each) for each in value]
    texts = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    return texts.get(str(value), value) if isinstance(value, float) else value


@given(DATA)
def test_all_data_is_json_of_a_strict_reader(data) -> None:
    assert strict(json_text(data)) == finite(data)


@dataclass
class Cell:
    """A dataclass with a value, as an explanation has."""

    value: object


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Cell(float("nan")), {"value": "NaN"}),
        ([Cell((1.5, float("-inf")))], [{"value": [1.5, "-Infinity"]}]),
        (datetime(2026, 1, 2, 3, tzinfo=UTC), "2026-01-02T03:00:00+00:00"),
        (pd.Timestamp(1_001, tz="UTC"), "1970-01-01T00:00:00.000001001+00:00"),
        (date(2026, 1, 2), "2026-01-02"),
        (time(3, 4, 5, 6), "03:04:05.000006"),
        (timedelta(days=1, microseconds=5), "PT86400.000005S"),
        (timedelta(microseconds=-1), "-PT0.000001S"),
        (pd.Timedelta(1_001), "PT0.000001001S"),
        (Decimal("1.50"), "1.50"),
        (b"\xff\x00", "ff00"),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (np.int64(2**53 + 1), 2**53 + 1),
        (np.float32("nan"), "NaN"),
    ],
)
def test_values_that_json_lacks_are_texts(value, expected) -> None:
    assert strict(json_text(value)) == expected


def test_an_error_has_its_parts() -> None:
    assert strict(json_text({"error": RequestError("ask", "none", "Do it.")})) == {
        "error": {"type": "RequestError", "call": "ask", "found": "none", "fix": "Do it."}
    }


def test_other_objects_are_refused() -> None:
    with pytest.raises(TypeError):
        json_text(object())


@given(st.integers(-(2**63), 2**63 - 1), st.sampled_from([0, 3, 6, 9]))
def test_a_duration_is_exact(amount, digits) -> None:
    text = duration_text(amount, digits)

    sign = -1 if text.startswith("-") else 1
    assert sign * Decimal(text.removeprefix("-")[2:-1]) == Decimal(amount).scaleb(-digits)
