"""A value of another type in the notes of a save makes its version a damaged one."""

import json
from datetime import UTC, datetime

import pytest

from featurestore.store.training_sets.notes import TrainingSet

SAVED = TrainingSet("fraud", rows=3, columns=2, created_at=datetime(2026, 1, 31, tzinfo=UTC))


def test_notes_are_read_as_they_were_written() -> None:
    found = TrainingSet.from_notes(json.loads(SAVED.to_json()), 4)

    assert found is not None
    assert (found.name, found.version, found.rows, found.error) == ("fraud", 4, 3, None)


@pytest.mark.parametrize(
    "wrong",
    [{"rows": "many"}, {"registry_version": "../../x"}, {"name": 1}, {"label": ["a"]},
     {"columns": True}, {"features": "a"}, {"created_at": "then"}],
)  # fmt: skip
def test_a_value_of_another_type_makes_the_version_damaged(wrong: dict[str, object]) -> None:
    found = TrainingSet.from_notes(json.loads(SAVED.to_json()) | wrong, 4)

    assert found is not None
    assert (found.version, found.rows, found.registry_version) == (4, 0, 0)
    assert found.error is not None
