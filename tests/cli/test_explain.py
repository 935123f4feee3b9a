"""`featurestore explain` on the command line: one row, what is known of each of its cells."""

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


def test_the_winning_row_is_told_with_its_times_and_version(run, shop):
    code, out, _ = run("explain", "fraud", "id=1", "--at", MOMENT, "-p", shop)

    assert code == 0
    assert "city" in out
    assert "the row of 1970-01-01 02:00:00Z won, 2:00:00 before the moment" in out


def test_json_holds_the_stored_row_with_times_and_the_table_version(run, shop):
    _, out, _ = run("explain", "profile", "id=1", "--at", MOMENT, "-p", shop,
                    "--json")  # fmt: skip
    (told,) = json.loads(out)["explain"]

    assert (told["value"], told["version"], told["row"]["city"]) == ("b", 0, "b")
    assert told["row"]["event_timestamp"] == "1970-01-01T02:00:00+00:00"


def test_a_name_that_is_no_key_is_told_with_the_nearest(run, shop):
    code, _, err = run("explain", "fraud", "idd=1", "-p", shop)

    assert code == 2
    assert "no key 'idd'. Did you mean 'id'?" in err


@pytest.fixture
def both(run, shop):
    (shop / "feature_defs" / "shop.py").write_text(DEFINITIONS + MORE)
    assert run("apply", "-p", shop, "--yes")[0] == 0
    return shop


def test_a_row_may_hold_its_other_time_columns(run, both):
    row = "id=1,payer=1,paid_at=1970-01-01T01:30:00Z"

    code, out, _ = run("explain", "both", row, "--at", MOMENT, "-p", both)

    assert code == 0
    assert "the row of 1970-01-01 01:00:00Z won, 0:30:00 before the moment" in out
    assert "the row of 1970-01-01 02:00:00Z won, 2:00:00 before the moment" in out
    code, out, _ = run("explain", "both", f"{row},event_timestamp={MOMENT}", "-p", both)
    assert "won, 2:00:00 before the moment" in out
    code, _, err = run(
        "explain", "both", f"{row},event_timestamp={MOMENT}", "--at", MOMENT, "-p", both
    )
    assert (code, "the row gives the moment too" in err) == (2, True)


def test_a_name_alone_is_null(run, both):
    code, out, err = run("explain", "both", "id,payer=2", "--at", MOMENT, "-p", both)

    assert code == 0
    assert "null: 'id', a part of the key, is null" in out
    assert "payer_city = null" in out
    assert "not given" not in err


@pytest.mark.parametrize("text", ["null", "", "None"])
def test_words_for_nothing_are_texts_like_others(run, store, text):
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


def test_a_view_without_keys_needs_none(run, shop):
    code, out, _ = run("explain", "rate", "--at", MOMENT, "-p", shop)

    assert code == 0
    assert out.splitlines() == [
        "euro = 1.5  (rate, version 0)",
        "    the row of 1970-01-01 01:00:00Z won, 3:00:00 before the moment",
    ]


@pytest.mark.parametrize(
    ("row", "at", "said"),
    [
        ("id=abc", MOMENT, "'abc' is not. Write for example id=7, or id for null."),
        ("seven", MOMENT, "explain 'seven': no '=' in 'seven'. Write key=value"),
        (
            "id=1",
            "1969-12-31T23:59:32",
            "time '1969-12-31T23:59:32': it has no time zone. "
            "Write its offset, in UTC '1969-12-31T23:59:32Z'.",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_told_in_words_of_the_shell(run, shop, row, at, said):
    code, _, err = run("explain", "fraud", row, "--at", at, "-p", shop)

    assert code == 2
    assert said in err


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


def test_other_time_columns_hold_the_moment_too_and_keys_that_are_left_out_are_null(run, both):
    code, out, err = run("explain", "both", "id=1", "--at", MOMENT, "-p", both)

    assert code == 0
    assert "the row of 1970-01-01 02:00:00Z won" in out
    assert "null: 'payer', a part of the key, is null" in out
    assert "payer is not given, and so null" in err
