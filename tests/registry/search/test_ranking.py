"""The search in Python. ``tests/browser/test_search.py`` compares it with the site's script."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.definitions.model.manifest import Manifest
from featurestore.registry.search.entries import Entry, entries_of
from featurestore.registry.search.ranking import SearchIndex, errors_of
from featurestore.store.ledger.models import ModelRecord
from featurestore.store.training_sets.notes import TrainingSet
from tests.registry.manifests import SMALL

ENTRIES = [
    Entry("view", "activity", tags=("fraud",), owner="risk@example.com"),
    Entry("view", "amount", columns=("amount", "merchant_id")),
    Entry("feature", "amount_sum_7d", view="activity", description="money paid"),
    Entry("feature", "amount_sum_1h", view="activity"),
    Entry("feature", "count_7d", view="activity", description="an amount of rows"),
]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("amount 7d", ["amount_sum_7d", "count_7d"]),
        ("7D Amount", ["amount_sum_7d", "count_7d"]),
        ("amount", ["amount", "amount_sum_7d", "amount_sum_1h", "count_7d"]),
        ("amo", ["amount", "amount_sum_7d", "amount_sum_1h", "count_7d"]),
        ("amuont sum", ["amount_sum_7d", "amount_sum_1h"]),
        ("fraud", ["activity"]),
        ("merchant", ["amount"]),
        ("amount zzzz", ["amount", "amount_sum_7d", "amount_sum_1h", "count_7d"]),
        ("sum 7d zzzz", ["amount_sum_7d"]),
        ("zzzz", []),
        (" - ", []),
    ],
)
def test_entries_with_the_most_words_are_found_the_best_first(
    query: str, names: list[str]
) -> None:
    assert [entry.name for entry, *_ in SearchIndex(ENTRIES).find(query)] == names


def test_what_is_found_in_a_manifest_is_its_definitions_and_features() -> None:
    found = {(entry.kind, entry.view, entry.name) for entry in entries_of(SMALL)}

    assert ("feature", "activity", "amount_sum_7d") in found
    assert {("view", "", "limits"), ("service", "", "scoring"), ("entity", "", "card"),
            ("source", "", "payments")} <= found  # fmt: skip
    assert len(found) == 1 + 2 + 1 + 1 + 5


def test_the_owner_and_the_tags_of_a_view_find_its_features_after_it() -> None:
    [own] = [each for each in SMALL.views if each.name == "activity"]
    manifest = Manifest.of([replace(own, owner="ana@example.com", tags=("money",))])
    index = SearchIndex(entries_of(manifest))

    for query in ("ana", "money", "example money"):
        found = [(entry.kind, entry.name) for entry, *_ in index.find(query)]
        assert found == [("view", "activity"), *(("feature", n) for n in own.feature_names)]


def test_training_sets_and_models_are_found_by_their_newest_versions() -> None:
    at = datetime(2026, 1, 31, tzinfo=UTC)
    saved = TrainingSet("fraud_2026", label="is_fraud", selection=("scoring",), created_by="ana")
    models = [
        ModelRecord("net", training_set="fraud_2026", description=text, tags=tags, recorded_at=at)
        for text, tags in (("old", ("old",)), ("uses s3://key:secret@bucket", ("champion",)))
    ]
    index = SearchIndex(entries_of(SMALL, [saved], models))

    def names(query: str) -> list[str]:
        return [entry.name for entry, *_ in index.find(query)]

    assert names("is_fraud") == names("ana") == ["fraud_2026"]
    assert names("fraud 2026") == ["fraud_2026", "net"]
    assert names("champoin") == ["net"]
    assert names("old") == names("secret") == []


def test_a_source_is_found_by_the_columns_that_a_run_has_seen() -> None:
    index = SearchIndex(entries_of(SMALL, columns={"payments": ["shop_id"]}))

    assert [(each.kind, each.name) for each, *_ in index.find("shop id")] == [
        ("source", "payments")
    ]


words = st.text("abc", max_size=6)


@given(words, words)
def test_errors_are_those_of_the_best_beginning(text: str, word: str) -> None:
    def distance(one: str, other: str) -> int:
        if not one or not other:
            return len(one) + len(other)
        best = min(
            distance(one[1:], other) + 1,
            distance(one, other[1:]) + 1,
            distance(one[1:], other[1:]) + (one[0] != other[0]),
        )
        swapped = one[:2] == other[1::-1] if len(other) > 1 and len(one) > 1 else False
        return min(best, distance(one[2:], other[2:]) + 1) if swapped else best

    text, word = text[:4], word[:5]
    least = min(distance(text, word[:end]) for end in range(len(word) + 1))

    assert errors_of(text, word, 2) == (least if least <= 2 else None)
