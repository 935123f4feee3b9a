"""`featurestore maintain`."""

import json

import featurestore as fs
from featurestore.jobs.materialize.lock import view_lock
from tests.client.shop import NOW


def test_maintain_joins_files_and_prints_them(run, filled: fs.FeatureStore) -> None:
    folder = filled.settings.folder

    foreseen, _, _ = run("maintain", "-p", folder, "--dry-run")
    code, out, err = run("maintain", "-p", folder, "--json")

    tables = {each["table"]: each for each in json.loads(out)["maintenance"]}
    assert (foreseen, code, err) == (0, 0, "")
    assert (tables["activity"]["files_before"], tables["activity"]["files_after"]) == (2, 1)
    assert tables["ledger of builds"]["error"] is None


def test_maintain_of_a_view_in_use_exits_with_5_and_the_others_go_on(
    run, filled: fs.FeatureStore
) -> None:
    with view_lock(filled.layout, "profile", "r", NOW):
        code, out, err = run("maintain", "-p", filled.settings.folder, "--json")

    tables = {each["table"]: each for each in json.loads(out)["maintenance"]}
    assert code == 5
    assert tables["profile"]["error"]["type"] == "ConflictError"
    assert tables["activity"]["files_after"] == 1
    assert "profile" in err


def test_a_wrong_retention_is_a_usage_error(run, filled: fs.FeatureStore) -> None:
    code, _, err = run("maintain", "-p", filled.settings.folder, "--retention", "soon")

    assert code == 2
    assert "retention=" in err


def test_an_unknown_view_is_a_usage_error(run, filled: fs.FeatureStore) -> None:
    code, _, err = run("maintain", "-p", filled.settings.folder, "activty")

    assert code == 2
    assert "activity" in err
