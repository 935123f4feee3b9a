"""`featurestore quarantine show`: rows with their reasons, as a table and as JSON."""

import json
from collections.abc import Callable

import pytest

import featurestore as fs
from featurestore.cli.produce import exit_code
from featurestore.errors import DataQualityError, SourceError
from featurestore.jobs.materialize.job import RunResult
from featurestore.store.quarantine import mark_released, mark_rows
from tests.store.quarantine_rows import NOON, put_rows

Run = Callable[..., tuple[int, str, str]]


def with_rows(store: fs.FeatureStore) -> fs.FeatureStore:
    """Put two rows into the quarantine of a view, and release one of them."""
    uri = store.layout.quarantine("activity", "activity-1")
    put_rows(uri, ("q1", 0, 0, -1.5), ("q2", 0, 0, -2.5))
    mark_rows(uri, ["q2"], "r1")
    mark_released(uri, "r1", NOON)
    return store


def test_rows_are_shown_with_their_reasons(run: Run, filled: fs.FeatureStore) -> None:
    store = with_rows(filled)

    code, out, _ = run("quarantine", "show", "activity", "-p", store.settings.folder)

    assert code == 0
    assert all(text in out for text in ("q1", "amount:in_range", "run of q1", "-1.5"))
    assert "q2" not in out


def test_json_has_all_rows_with_their_states(run: Run, filled: fs.FeatureStore) -> None:
    store = with_rows(filled)

    _, out, _ = run(
        "quarantine", "show", "activity", "--released", "--json", "-p", store.settings.folder
    )

    rows = json.loads(out)["quarantine"]
    assert [(row["id"], row["state"], row["values"]["amount"]) for row in rows] == [
        ("q1", "refused", -1.5),
        ("q2", "released", -2.5),
    ]


def test_a_reason_selects_rows(run: Run, filled: fs.FeatureStore) -> None:
    store = with_rows(filled)
    call = ("quarantine", "show", "activity", "-p", store.settings.folder, "--json", "--reason")

    reasons = ("amount:in_range", "null_key")
    found = [json.loads(run(*call, name)[1])["quarantine"] for name in reasons]

    assert [len(rows) for rows in found] == [1, 0]


def test_an_unknown_reason_is_an_error(run: Run, filled: fs.FeatureStore) -> None:
    folder = with_rows(filled).settings.folder

    code, out, err = run(
        "quarantine", "show", "activity", "-p", folder, "--reason", "amount:inrange"
    )

    assert (code, out) == (fs.NotFoundError.exit_code, "")
    assert "'amount:in_range'" in err


def test_an_empty_quarantine_is_no_error(run: Run, filled: fs.FeatureStore) -> None:
    code, out, err = run("quarantine", "show", "rate", "-p", filled.settings.folder)

    assert (code, out) == (0, "")
    assert "rate" in err


def test_an_unknown_view_and_one_without_a_table_are_errors(
    run: Run, store: fs.FeatureStore
) -> None:
    folder = store.settings.folder

    unknown = run("quarantine", "show", "activty", "-p", folder)
    unbuilt = run("quarantine", "show", "activity", "-p", folder)

    assert (unknown[0], unbuilt[0]) == (2, 2)
    assert "'activity'" in unknown[2]
    assert "featurestore materialize activity" in unbuilt[2].replace("\n", " ")


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ([DataQualityError], 4),
        ([DataQualityError, DataQualityError], 4),
        ([DataQualityError, SourceError], 1),
        ([SourceError], 1),
    ],
)
def test_the_code_is_4_if_nothing_but_the_expectations_stopped_views(
    errors: list[type[fs.FeatureStoreError]], code: int
) -> None:
    failed = [
        RunResult(
            "v", run_id="r", status="failed", kind="run", error=kind("call", "found", "Fix.")
        )
        for kind in errors
    ]

    assert exit_code(failed) == code
