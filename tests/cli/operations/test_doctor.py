"""`featurestore doctor`."""

import json
from pathlib import Path

import featurestore as fs


def test_a_whole_store_exits_with_0(run, store: fs.FeatureStore) -> None:
    code, out, err = run("doctor", "-p", store.settings.folder, "--json")

    assert (code, json.loads(out)["doctor"]) == (0, [])
    assert "no problem" in err


def test_what_is_found_is_printed_with_its_code_and_exits_with_1(
    run, filled: fs.FeatureStore
) -> None:
    folder = filled.settings.folder
    max(Path(filled.layout.tables(), "_delta_log").glob("*.json")).write_bytes(b"")

    code, out, err = run("doctor", "-p", folder)
    _, repaired, _ = run("doctor", "-p", folder, "--repair", "--json")
    _, rest, _ = run("doctor", "-p", folder, "--json")

    assert code == 1
    assert "D102  ledger of builds" in out
    assert "docs/repair.md" in err
    assert json.loads(repaired)["doctor"][0]["repair"]
    assert "D102" not in {each["code"] for each in json.loads(rest)["doctor"]}
