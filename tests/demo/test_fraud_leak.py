"""The leaky join by event time, with which the correct join is compared."""

import pyarrow as pa

from demo.fraud.leak import sum_by_event_time

HOUR = 3_600_000_000


def rows(keys: list[str], hours: list[int]) -> pa.Table:
    times = pa.array([hour * HOUR for hour in hours], pa.timestamp("us", "UTC"))
    return pa.table({"card_id": keys, "event_timestamp": times})


def test_a_window_includes_its_start_and_not_its_end() -> None:
    events = rows(["a", "a", "a", "a"], [1, 2, 3, 4])

    counts = sum_by_event_time(rows(["a"], [3]), events, "card_id", 2 * HOUR)

    assert counts.tolist() == [2.0]


def test_events_of_other_keys_do_not_count() -> None:
    events = rows(["a", "b", "b"], [9, 1, 2])

    counts = sum_by_event_time(rows(["b", "a", "c"], [3, 1, 9]), events, "card_id", 100 * HOUR)

    assert counts.tolist() == [2.0, 0.0, 0.0]


def test_with_weights_the_sum_is_returned() -> None:
    events = rows(["a", "b", "a"], [1, 1, 2])
    weights = pa.array([1.5, 100.0, 2.5]).to_numpy()

    sums = sum_by_event_time(rows(["a"], [9]), events, "card_id", 100 * HOUR, weights)

    assert sums.tolist() == [4.0]
