"""Messages of a topic as columns: values exact, and a reason for each message without values."""

from datetime import UTC, datetime

from featurestore.definitions.model.types import Array, Boolean, Field, Float64, Int64, Timestamp
from featurestore.engines.files.messages import MessageTask, parse_messages

FIELDS = (
    Field("number", Int64),
    Field("price", Float64),
    Field("at", Timestamp),
    Field("flags", Array(Boolean)),
)


def test_values_are_exact_and_absent_keys_are_null() -> None:
    task = MessageTask("read", fields=FIELDS)
    full = b'{"number": 9007199254740993, "price": 1.5, "at": "2026-01-31T09:30:00+01:00"}'

    columns, problems = parse_messages(task, [full, b'{"flags": [true, null], "other": 1}'])

    assert [column.to_pylist() for column in columns] == [
        [9007199254740993, None],
        [1.5, None],
        [datetime(2026, 1, 31, 8, 30, tzinfo=UTC), None],
        [None, [True, None]],
    ]
    assert problems == [None, None]


def test_a_message_with_one_wrong_value_has_no_values_and_others_keep_theirs() -> None:
    task = MessageTask("read", fields=FIELDS[:3])
    wrong = [
        b'{"number": 1.5, "price": 1.0}',
        b'{"number": 1, "price": "much"}',
        b'{"number": 1, "at": "2026-01-31 09:30:00"}',  # without an offset
        b"[1]",
        b'{"number": 1, "number": 2}',
        b"\xff",
        None,
    ]

    columns, problems = parse_messages(task, [*wrong, b'{"number": 7, "price": 2.0}'])

    assert columns[0].to_pylist() == [None] * 7 + [7]
    assert columns[1].to_pylist() == [None] * 7 + [2.0]
    assert [problem is None for problem in problems] == [False] * 7 + [True]


def test_times_without_an_offset_are_of_the_sources_zone() -> None:
    task = MessageTask("read", fields=FIELDS[2:3], timezone="Europe/Paris")

    columns, problems = parse_messages(task, [b'{"at": "2026-01-31 09:30:00"}'])

    assert columns[0].to_pylist() == [datetime(2026, 1, 31, 8, 30, tzinfo=UTC)]
    assert problems == [None]
