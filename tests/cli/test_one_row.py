"""Questions about one row on the command line, and how their answers stand."""

import json
import re

import pytest

from tests.client.shop import at

MOMENT = "1970-01-01T03:00:00Z"


@pytest.fixture
def project(filled):
    return filled.settings.folder


def answers(out: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.splitlines()]


def test_latest_at_a_moment_is_historical_at_this_moment(run, filled, project):
    expected = filled.get_historical_features("fraud", [{"id": 1, "event_timestamp": at(3)}])

    as_json = ("-p", project, "--format", "json")
    code, latest, _ = run("latest", "fraud", "id=1", "--at", MOMENT, *as_json)
    historical = run("historical", "fraud", "id=1", "--at", MOMENT, *as_json)[1]

    [row] = answers(latest)
    features = {name: row[name] for name in expected.features}
    assert code == 0
    assert features == expected.to_arrow().select(list(expected.features)).to_pylist()[0]
    assert answers(historical) == answers(latest)


def test_several_rows_and_moments_in_the_rows(run, project):
    code, out, _ = run(
        "historical", "profile", "id=1,event_timestamp=1970-01-01T01:30:00Z",
        f"id=1,event_timestamp={MOMENT}", "-p", project, "--format", "json",
    )  # fmt: skip

    assert code == 0
    assert [row["city"] for row in answers(out)] == ["a", "b"]


@pytest.mark.parametrize(
    ("arguments", "fix"),
    [
        (("id=1",), "--at"),
        (("id=1,event_timestamp=1970-01-01T03:00:00Z", "--at", MOMENT), "--at"),
        (("id=1", "--at", "noon"), "2026-01-31T09:30:00Z"),
        (("id", "7", "--at", MOMENT), "name=value"),
    ],
)
def test_a_row_without_one_clear_moment_is_refused(run, project, arguments, fix):
    code, out, err = run("historical", "fraud", *arguments, "-p", project)

    assert (code, out) == (2, "")
    assert fix in err


def test_a_single_row_stands_upright(run, project):
    _, out, _ = run("latest", "profile", "id=1", "--at", MOMENT, "-p", project)

    assert [line.split() for line in out.splitlines()] == [
        ["id", "1"],
        ["event_timestamp", "1970-01-01", "03:00:00Z"],
        ["city", "b"],
    ]


def test_two_rows_are_a_table(run, project):
    _, out, _ = run("latest", "profile", "id=1", "id=2", "--at", MOMENT, "-p", project)

    rows = [line.split() for line in out.splitlines() if line.strip()]
    assert rows[0] == ["id", "event_timestamp", "city"]
    assert rows[-2:] == [
        ["1", "1970-01-01", "03:00:00Z", "b"],
        ["2", "1970-01-01", "03:00:00Z", "·"],
    ]


def test_services_views_and_features_can_be_mixed(run, project):
    code, out, _ = run(
        "latest", "profile,activity:count_2h", "id=1", "--at", MOMENT, "-p", project,
        "--format", "json",
    )  # fmt: skip

    [row] = answers(out)
    assert (code, row["city"], row["count_2h"]) == (0, "b", 2)


def test_the_status_of_chosen_views(run, project):
    out = run("status", "activity", "-p", project, "--json")[1]
    assert [each["view"] for each in json.loads(out)["status"]] == ["activity"]

    out = run("status", "fraud", "-p", project, "--json")[1]
    assert len(json.loads(out)["status"]) == 3


@pytest.mark.parametrize(("keys", "rows"), [((), 1), (("",), 1), (("", ""), 2)])
def test_a_view_without_entities_has_an_answer_for_each_row(run, project, keys, rows):
    code, out, _ = run("latest", "rate", *keys, "-p", project, "--format", "json")

    assert code == 0
    assert [row["euro"] for row in answers(out)] == [1.5] * rows


@pytest.mark.parametrize(
    ("key", "facts"),
    [
        ("id=0x7", ["0x7", "Int64"]),
        ("id=7.5", ["7.5", "Int64"]),
        ("id=1e-5", ["1e-5", "Int64"]),
        ("id=", ["Int64"]),
        ("id=1,id=2", ["'id'"]),
    ],
)
def test_a_value_that_is_none_of_its_key_is_refused(run, project, key, facts):
    code, out, err = run("latest", "fraud", key, "-p", project)

    assert (code, out) == (2, "")
    assert [fact for fact in facts if fact not in err] == []


@pytest.mark.parametrize(
    ("name", "data", "fact"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", b"id,event_timestamp\n1,2,3\n", "line 2"),
        ("a.csv", b"id,event_timestamp\n\xff,2\n", "line 2"),
        ("a.jsonl", b'{"id": 1}\n{"id"\n', "line 2"),
        ("a.jsonl", b'{"id": 1}\n{"id": "a"}\n', "line 2"),
        ("a.json", b"[", "line 1"),
        ("a.parquet", b"PAR1", "a.parquet"),
        ("a.arrow", b"none", "a.arrow"),
        ("a.txt", b"id\n1\n", "'.txt'"),
    ],
)
def test_a_file_that_is_no_spine_is_a_wrong_argument(run, project, tmp_path, name, data, fact):
    path = tmp_path / name
    path.write_bytes(data)

    code, out, err = run("historical", "fraud", path, "-p", project)

    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert [each for each in (str(path), fact) if each not in err] == []


@pytest.mark.parametrize(
    "arguments", [("latest", "fraud", "id=\udcff"), ("explain", "fraud", "\udcff=1")]
)
def test_bytes_that_are_no_utf_8_are_a_wrong_argument(run, project, arguments):
    code, out, err = run(*arguments, "-p", project)

    assert (code, out) == (2, "")
    assert "UTF-8" in err


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_files_may_have_names_of_any_bytes(run, project, tmp_path, suffix):
    spine, rows = tmp_path / "\udcff.csv", tmp_path / f"\udcff.{suffix}"
    spine.write_text("id,event_timestamp\n1,1970-01-01T03:00:00Z\n")

    written = run("historical", "profile", spine, "-p", project, "--out", rows)[0]
    code, out, _ = run("historical", "rate", rows, "-p", project, "--format", "json")

    assert (written, code) == (0, 0)
    assert [row["city"] for row in answers(out)] == ["b"]


@pytest.mark.parametrize("verb", ["latest", "explain"])
def test_now_is_a_full_second(run, project, verb):
    form = ("--json",) if verb == "explain" else ("--format", "json")

    code, out, _ = run(verb, "activity", "id=1", "-p", project, *form)

    assert code == 0
    assert re.search(r"\d\d:\d\d:\d\d\.\d", out) is None


@pytest.mark.parametrize(
    ("verb", "fix"), [("latest", "--rows"), ("historical", "file"), ("explain", "Python")]
)
def test_a_value_with_a_comma_needs_another_way(run, project, verb, fix):
    code, out, err = run(verb, "fraud", "id=1,2", "--at", MOMENT, "-p", project)

    assert (code, out) == (2, "")
    assert "'2'" in err
    assert fix in err
