"""`featurestore explain` on the command line: one row, what is known of each of its cells."""

import json

import pytest

from tests.client.shop import DEFINITIONS

MORE = """
both = fs.FeatureService("both", features=(
    profile.at("paid_at"), activity, profile.with_join_keys({"id": "payer"}).with_prefix("payer_")
))
"""
MOMENT = "1970-01-01T04:00:00Z"


@pytest.fixture
def shop(filled):
    return filled.settings.folder


def test_the_winning_row_is_told_with_its_times_and_version(run, shop):
    code, out, _ = run("explain", "fraud", "id=1", "--at", MOMENT, "-p", shop)

    assert code == 0
    assert "city" in out
    assert "the row of 1970-01-01 02:00:00Z won, 2:00:00 before the moment" in out


def test_json_holds_the_stored_row_with_times_and_the_table_version(run, shop):
    _, out, _ = run("explain", "profile", "id=1", "--at", MOMENT, "-p", shop,
                    "--json")  # fmt: skip
    (told,) = json.loads(out)["explain"]

    assert (told["version"], told["row"]["city"]) == (0, "b")
    assert told["row"]["event_timestamp"] == "1970-01-01T02:00:00+00:00"


def test_a_name_that_is_no_key_is_told_with_the_nearest(run, shop):
    code, _, err = run("explain", "fraud", "idd=1", "-p", shop)

    assert code == 2
    assert "no key 'idd'. Did you mean 'id'?" in err


def test_other_time_columns_hold_the_moment_too_and_keys_that_are_left_out_are_null(run, shop):
    (shop / "feature_defs" / "shop.py").write_text(DEFINITIONS + MORE)
    assert run("apply", "-p", shop, "--yes")[0] == 0

    code, out, err = run("explain", "both", "id=1", "--at", MOMENT, "-p", shop)

    assert code == 0
    assert "the row of 1970-01-01 02:00:00Z won" in out
    assert "null: 'payer', a part of the key, is null" in out
    assert "payer is not given, and so null" in err
