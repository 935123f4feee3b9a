"""Errors of a spine name the options of the command line."""

from pathlib import Path

import pytest

from featurestore.cli.spine import spine_errors
from featurestore.errors import SpineError
from tests.client.on_demand_shop import filled_shop


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    filled_shop(tmp_path)
    return tmp_path


@pytest.fixture
def spine(tmp_path: Path):
    """Write a spine of one row and return its path."""

    def write(heading: str, row: str) -> Path:
        path = tmp_path / "spine.csv"
        path.write_text(f"{heading}\n{row}\n")
        return path

    return write


@pytest.mark.parametrize("verb", [["historical", "activity"], ["verify", "activity", "--spine"]])
def test_times_without_a_zone_are_answered_with_an_option_that_works(run, shop, spine, verb):
    path = spine("id,event_timestamp", "1,2026-01-01 00:00:00")

    code, _, err = run(*verb, path, "-p", shop)

    assert (code, "--timezone UTC" in err, "timezone=" in err) == (2, True, False)
    assert run(*verb, path, "-p", shop, "--timezone", "UTC")[0] == 0


def test_a_time_column_of_another_name_is_answered_with_an_option(run, shop, spine):
    path = spine("id,at", "1,2026-01-01T00:00:00Z")

    code, _, err = run("historical", "activity", path, "-p", shop)

    assert (code, "--timestamp-field" in err, "timestamp_field=" in err) == (2, True, False)
    assert run("historical", "activity", path, "-p", shop, "--timestamp-field", "at")[0] == 0


def test_a_row_without_a_time_is_answered_without_an_argument_of_python(run, shop, spine):
    code, _, err = run("historical", "activity", spine("id,event_timestamp", "1,"), "-p", shop)

    assert (code, "event_timestamp" in err, "null_times" in err) == (2, True, False)


def test_a_view_s_events_without_a_request_value_are_answered_with_a_way_to_add_it(run, shop):
    code, _, err = run(
        "training-set", "everything", "view:activity", "--label", "amount", "-p", shop
    )

    assert code == 2
    for part in ("'price'", "'checkout'", "view:activity", "get_label_spine('activity')"):
        assert part in err


def test_an_error_keeps_its_call_and_what_was_found() -> None:
    with pytest.raises(SpineError) as caught, spine_errors("rows.csv"):
        raise SpineError("call", "timezone= is missing", "Pass timezone='Europe/Paris'.")

    assert (caught.value.call, caught.value.found) == ("call", "timezone= is missing")
    assert caught.value.fix == "Pass --timezone Europe/Paris."


@pytest.mark.parametrize(("delimiter", "option"), [(";", ";"), ("\t", "tab")])
def test_a_csv_file_with_another_delimiter_is_read_by_an_option(run, filled, delimiter, option):
    folder = filled.settings.folder
    path = folder / "rows.csv"
    path.write_text(f"id{delimiter}event_timestamp\n1{delimiter}1970-01-01T03:00:00Z\n")
    verb = ["historical", "profile", path, "-p", folder, "--format", "csv"]

    code, _, err = run(*verb)
    assert code == 2
    assert "--delimiter" in err
    assert option in err

    code, out, _ = run(*verb, "--delimiter", option)
    assert (code, out.splitlines()[1].endswith('"b"')) == (0, True)
