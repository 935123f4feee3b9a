"""A Spark DataFrame has the keys and moments of every other container."""

from typing import Any

import pytest

from featurestore.client.spines.read import read_spine
from featurestore.engines.bind import bind
from featurestore.errors import SpineError
from featurestore.query.requirements import spine_types
from tests.client.spines.test_containers import NOON, QUERY, arrow

TYPES = spine_types(QUERY)


@pytest.mark.spark
def test_spark_has_the_same_keys_and_moments(spark: Any) -> None:
    rows = [
        {"id": 2**63 - 1, "name": "007", "at": NOON},
        {"id": None, "name": None, "at": NOON.replace(microsecond=1, year=1900)},
    ]
    frame = spark.createDataFrame(arrow(rows))
    local = frame.selectExpr("id", "name", "CAST(at AS timestamp_ntz) AS at")
    texts = frame.selectExpr("id", "name", "'2026-03-01T13:00:00+01:00' AS at")

    bound = bind(QUERY, read_spine(frame, TYPES))
    bound_local = bind(QUERY, read_spine(local, TYPES), timezone="UTC")
    bound_texts = bind(QUERY, read_spine(texts, TYPES))

    assert bound.to_pylist() == bound_local.to_pylist() == arrow(rows).to_pylist()
    assert bound_texts["at"].to_pylist() == [NOON, NOON]
    with pytest.raises(SpineError, match="'at'"):
        bind(QUERY, read_spine(local, TYPES))
