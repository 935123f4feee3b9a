"""Stored profiles: read as they were written; a damaged one is no profile."""

import json
import math
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from featurestore.monitoring.profile import ColumnProfile, Histogram, Profile
from featurestore.monitoring.records import (
    newest_profile,
    recent_profiles,
    record_of,
    stored_profiles,
)
from featurestore.store.layout import Layout
from featurestore.store.ledger.profiles import Profiles

AMOUNT = ColumnProfile(
    "amount",
    type="Float64",
    rows=3,
    nulls=1,
    minimum=1.5,
    maximum=math.inf,
    quantiles=((0.0, 1.5), (1.0, math.inf)),
    distinct=2,
    top=(("1.5", 1),),
    histogram=Histogram((1.0, 2.0), (1,)),
)
PROFILE = Profile(
    "spending",
    run_id="r1",
    build_id="t1",
    at=datetime(2026, 1, 1, tzinfo=UTC),
    kind="table",
    columns=(AMOUNT, ColumnProfile("name", type="String", rows=3, nulls=0)),
)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(str(tmp_path))


def test_a_profile_is_read_as_it_was_written(layout: Layout) -> None:
    later = replace(PROFILE, run_id="r2")
    Profiles(layout).record([record_of(PROFILE), record_of(replace(PROFILE, view="it's other"))])
    Profiles(layout).record([record_of(later)])

    assert stored_profiles(layout, "spending") == (PROFILE, later)
    assert [each.view for each in stored_profiles(layout)] == [
        "spending",
        "it's other",
        "spending",
    ]
    assert stored_profiles(layout, "it's other") == (replace(PROFILE, view="it's other"),)


WRONG = [
    {"rows": None},
    {"minimum": {}},
    {"mean": "2"},
    {"quantiles": [[0, "1"]]},
    {"top": [["a", "b"]]},
    {"histogram": {"edges": [1], "counts": [1]}},
]


@pytest.mark.parametrize(
    "columns",
    [
        *("", "{", "[3]", '[{"column": "x"}]', "null"),
        *(json.dumps([json.loads(record_of(PROFILE).columns)[0] | each]) for each in WRONG),
    ],
)
def test_a_damaged_profile_is_left_out(layout: Layout, columns: str) -> None:
    damaged = replace(record_of(PROFILE), columns=columns)

    Profiles(layout).record([damaged, record_of(PROFILE)])

    assert stored_profiles(layout, "spending") == (PROFILE,)


def test_of_a_damaged_ledger_there_is_no_profile(layout: Layout) -> None:
    Profiles(layout).record([record_of(PROFILE)])
    for file in Path(layout.profiles()).glob("*.parquet"):
        file.write_bytes(b"damaged")

    assert stored_profiles(layout, "spending") == ()


def test_the_newest_profile_of_a_kind_is_none_if_it_is_damaged(layout: Layout) -> None:
    rows = replace(PROFILE, kind="rows", run_id="r2")
    damaged = replace(record_of(replace(PROFILE, run_id="r3")), columns="{")
    Profiles(layout).record([*map(record_of, (PROFILE, rows)), damaged])

    assert newest_profile(layout, "spending", "table") is None
    assert newest_profile(layout, "spending", "rows") == rows
    assert newest_profile(layout, "spending", "features") is None
    recent = recent_profiles(layout, 1)
    assert recent.whole == {"spending": [rows]}
    ((reason,),) = recent.damaged.values()
    assert "r3" in reason
    assert recent_profiles(layout, 2).whole == {"spending": [PROFILE, rows]}
