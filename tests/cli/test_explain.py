"""`featurestore explain` on the command line: why each value of one row is what it is."""

import json

import pytest
from rich.text import Text

from featurestore.cli.output import print_blocks
from tests.client.shop import DEFINITIONS, HOUR, write_view
from tests.tables import feature_table

MORE = """
both = fs.FeatureService("both", features=(
    profile.at("paid_at"), activity, profile.with_join_keys({"id": "payer"}).with_prefix("payer_")
))
"""
MOMENT = "1970-01-01T04:00:00Z"


@pytest.fixture
def shop(filled):
    return filled.settings.folder


def test_the_winning_row_is_shown_with_its_time(run, shop):
    code, out, _ = run("explain", "fraud", "id=1", "--at", MOMENT, "-p", shop)

    assert code == 0
    assert "city" in out
    assert "1970-01-01 02:00:00Z" in out
    assert "2:00:00 before" in out


def test_json_holds_the_stored_row_with_times_and_the_table_version(run, shop):
    _, out, _ = run("explain", "profile", "id=1", "--at", MOMENT, "-p", shop,
                    "--json")  # fmt: skip
    (cell,) = json.loads(out)["explain"]

    assert (cell["value"], cell["version"], cell["row"]["city"]) == ("b", 0, "b")
    assert cell["row"]["event_timestamp"] == "1970-01-01T02:00:00+00:00"


def test_a_name_that_is_no_key_is_an_error_with_near_names(run, shop):
    code, _, err = run("explain", "fraud", "idd=1", "-p", shop)

    assert code == 2
    assert "'idd'" in err
    assert "Did you mean 'id'?" in err


@pytest.fixture
def both(run, shop):
    (shop / "feature_defs" / "shop.py").write_text(DEFINITIONS + MORE)
    assert run("apply", "-p", shop, "--yes")[0] == 0
    return shop


def test_a_row_may_hold_its_other_time_columns(run, both):
    row = "id=1,payer=1,paid_at=1970-01-01T01:30:00Z"

    code, out, _ = run("explain", "both", row, "--at", MOMENT, "-p", both)

    assert code == 0
    assert "0:30:00 before" in out
    assert "2:00:00 before" in out
    code, out, _ = run("explain", "both", f"{row},event_timestamp={MOMENT}", "-p", both)
    assert "2:00:00 before" in out
    code, _, err = run(
        "explain", "both", f"{row},event_timestamp={MOMENT}", "--at", MOMENT, "-p", both
    )
    assert (code, "paid_at, event_timestamp" in err) == (2, True)


def test_a_name_alone_is_null(run, both):
    code, out, err = run("explain", "both", "id,payer=2", "--at", MOMENT, "-p", both)

    assert code == 0
    assert "null: the key column 'id'" in out
    assert "payer_city = null" in out
    assert err == ""


@pytest.mark.parametrize("text", ["null", "", "None"])
def test_words_such_as_null_are_texts_like_others(run, store, text):
    shop, by_name = (
        store.settings.folder,
        DEFINITIONS.replace('fs.Field("id", fs.Int64)', 'fs.Field("id", fs.String)'),
    )
    (shop / "feature_defs" / "shop.py").write_text(by_name)
    assert run("apply", "-p", shop, "--yes")[0] == 0
    write_view(store, "profile", feature_table({"id": [text]}, [HOUR], {"city": ["here"]}))

    code, out, _ = run("explain", "profile", f"id={text}", "--at", MOMENT, "-p", shop)

    assert code == 0
    assert "city = here" in out


def test_a_view_without_keys_needs_no_keys(run, shop):
    code, out, _ = run("explain", "rate", "--at", MOMENT, "-p", shop)

    assert code == 0
    heading, reason = out.splitlines()
    assert heading == "euro = 1.5  (rate, version 0)"
    assert "1970-01-01 01:00:00Z" in reason


@pytest.mark.parametrize(
    ("row", "at", "parts"),
    [
        ("id=abc", MOMENT, ["Int64", "'abc'", "id=7"]),
        ("seven", MOMENT, ["explain 'seven'", "'='", "name=value"]),
        ("id=1", "1969-12-31T23:59:32", ["'1969-12-31T23:59:32'", "'1969-12-31T23:59:32Z'"]),
    ],
)  # fmt: skip
def test_errors_show_what_to_write_on_the_command_line(run, shop, row, at, parts):
    code, _, err = run("explain", "fraud", row, "--at", at, "-p", shop)

    assert code == 2
    for part in parts:
        assert part in err


def test_on_a_terminal_reasons_are_wrapped_below_their_features(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("FORCE_COLOR", "1")

    print_blocks([("x = [1]", "(v, version 2)", ["word " * 15, "price = 2.0, given with req"])])

    shown = Text.from_ansi(capsys.readouterr().out).plain
    assert shown.splitlines() == [
        "x = [1]  (v, version 2)",
        "    " + " ".join(["word"] * 11),
        "    " + " ".join(["word"] * 4),
        "    price = 2.0, given with req",
    ]


def test_missing_time_columns_have_the_moment_and_missing_keys_are_null(run, both):
    code, out, err = run("explain", "both", "id=1", "--at", MOMENT, "-p", both)

    assert code == 0
    assert "1970-01-01 02:00:00Z" in out
    assert "null: the key column 'payer'" in out
    assert err.startswith("payer ")
    assert "null" in err
