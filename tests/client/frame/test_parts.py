"""The parts of a distributed frame have the rows of the parts of a frame in this process."""

import pickle

import pyarrow as pa
import pytest

from featurestore.client.frame.frame import FeatureFrame
from featurestore.client.frame.parts import EntityPart, TimePart
from featurestore.client.frame.splits import LabelTiming, time_split

HOURS = [0, 1, 2, None, 3, 4, 5]
TEXTS = [None if hour is None else f"2026-03-01 0{hour}:00:00" for hour in HOURS]
ROWS = pa.table({"id": [1, 2, 3, 4, None, 6, 7], "event_timestamp": TEXTS})
START = "2026-03-01T03:00:00Z"


@pytest.mark.parametrize("label", [None, LabelTiming(horizon=3_600_000_000, maturity=0)])
@pytest.mark.parametrize("gap", [None, "2h"])
def test_rows_before_and_after_a_moment(label, gap):
    frame = FeatureFrame(ROWS, (), timezone="UTC", label_timing=label)
    split = time_split("split", START, gap, label)

    parts = [
        ROWS.filter(
            TimePart(split, call="split", name="event_timestamp", timezone="UTC", test=is_test)(
                ROWS
            )
        )
        for is_test in (False, True)
    ]

    assert parts == [part.to_arrow() for part in frame.split_by_time(START, gap=gap)]
    assert split.may_leak is False


def test_a_gap_shorter_than_the_horizon_may_leak():
    label = LabelTiming(horizon=2 * 3_600_000_000, maturity=0)

    assert time_split("split", START, "1h", label).may_leak
    assert not time_split("split", START, "2h", label).may_leak


def test_entities_stay_in_their_part_in_another_process():
    frame = FeatureFrame(ROWS, ())

    parts = [
        ROWS.filter(
            pickle.loads(pickle.dumps(EntityPart(("id",), share=0.5, seed=3, test=is_test)))(ROWS)
        )
        for is_test in (False, True)
    ]

    assert parts == [part.to_arrow() for part in frame.split_by_entity("id", test=0.5, seed=3)]
    assert sum(map(len, parts)) == len(ROWS)
