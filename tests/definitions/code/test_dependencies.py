"""The values that a function uses: equal values give equal fingerprints, others do not."""

import importlib.metadata
import logging
import math
import random
import sys
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from featurestore.definitions.code import provenance
from featurestore.definitions.code.fingerprint import function_code
from featurestore.definitions.code.provenance import outside
from featurestore.definitions.model.types import Field, Int64, String
from featurestore.errors import DefinitionError

VALUE: Any = None


class Scale:
    factor = 2

    def __init__(self, by: int) -> None:
        self.by = by

    def __repr__(self) -> str:
        return f"Scale({self.by})"

    def times(self, number: int) -> int:
        return number * self.by


def half(number: int) -> float:
    return number / 2


def quarter(number: int) -> float:
    return number / 4


def uses(rows: Any) -> Any:
    return rows, VALUE


def _fingerprint(monkeypatch: pytest.MonkeyPatch, value: object) -> str:
    monkeypatch.setitem(globals(), "VALUE", value)
    return function_code(uses).fingerprint


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, True),
        ("1", b"1"),
        (None, "None"),
        ((1, 2), [1, 2]),
        ({"a": 1}, {"a": 2}),
        ({1, 2}, {1, 3}),
        (0.1, math.nextafter(0.1, 1)),
        (Decimal("1.0"), Decimal("1.00")),
        (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)),
        (timedelta(1), timedelta(2)),
        (Field("a", Int64), Field("a", String)),
        (Scale(1), Scale(2)),
        (Scale(1).times, Scale(2).times),
        (partial(half, 1), partial(half, 2)),
        (half, quarter),
        (len, sum),
        (logging.getLogger("a"), logging.getLogger("b")),
        (math, random),
        (Scale, Field),
    ],
)
def test_different_values_count_differently(
    monkeypatch: pytest.MonkeyPatch, one: object, other: object
) -> None:
    fingerprints = [_fingerprint(monkeypatch, value) for value in (one, other, one)]

    assert fingerprints[0] == fingerprints[2] != fingerprints[1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Field("a", Int64), Field("a", Int64)),
        ({3, 1, 2}, frozenset([2, 1, 3])),
        (Scale(1), Scale(1)),
        (OrderedDict(a=1), OrderedDict(a=1)),
    ],
)
def test_equal_values_have_equal_fingerprints(
    monkeypatch: pytest.MonkeyPatch, one: object, other: object
) -> None:
    assert _fingerprint(monkeypatch, one) == _fingerprint(monkeypatch, other)


def test_a_loggers_level_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    logger = logging.getLogger("test_reach")
    quiet = _fingerprint(monkeypatch, logger)

    logger.setLevel(logging.DEBUG)

    assert _fingerprint(monkeypatch, logger) == quiet


@pytest.mark.parametrize("value", [object(), [object()], iter([])])
def test_a_value_that_cannot_be_compared_is_named(
    monkeypatch: pytest.MonkeyPatch, value: object
) -> None:
    with pytest.raises(DefinitionError, match="'VALUE'"):
        _fingerprint(monkeypatch, value)


def test_the_name_of_a_library_may_differ_from_its_modules() -> None:
    assert outside("sklearn.linear_model", "Ridge").startswith("scikit-learn==")
    assert outside("pyarrow.compute", "add").startswith("pyarrow==")
    assert outside("json", "loads") == "json:loads"


def test_a_library_that_is_not_there_counts_by_its_name() -> None:
    assert "no_such_library" not in sys.modules
    assert provenance.home("no_such_library") == "library"
    assert outside("no_such_library", "f") == "no_such_library:f"


def test_without_spark_its_library_counts_by_the_version_that_this_package_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    installed = outside("pyspark.sql", "functions")

    def version(name: str, found: Any = importlib.metadata.version) -> str:
        if name == "pyspark":
            raise importlib.metadata.PackageNotFoundError(name)
        return str(found(name))

    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(importlib.metadata, "packages_distributions", dict)
    provenance._version.cache_clear()
    try:
        assert outside("pyspark.sql", "functions") == installed == "pyspark==4.2.0:functions"
    finally:
        provenance._version.cache_clear()
