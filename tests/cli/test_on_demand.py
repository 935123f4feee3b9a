"""On-demand features on the command line: request values are typed on the shell, and told of."""

import json
from pathlib import Path

import pytest

from tests.client.on_demand_shop import filled_shop, project, returning


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    filled_shop(tmp_path)
    return tmp_path


def test_request_values_are_typed_beside_the_keys(run, shop):
    code, out, _ = run(
        "latest", "shape", "id=1,price=2.5,pieces=2", "id=2,price=1,pieces=4", "-p", shop,
        "--format", "json",
    )  # fmt: skip

    assert code == 0
    rows = [json.loads(line) for line in out.splitlines()]
    assert [(row["price"], row["pieces"]) for row in rows] == [(2.5, 2), (1.0, 4)]
    assert [row["share"] for row in rows] == [5.0 / 3.0, 0.4]


def test_a_request_value_of_another_type_is_told(run, shop):
    code, _, err = run("latest", "shape", "id=1,price=much,pieces=2", "-p", shop)

    assert code == 2
    assert (
        "'price' is Float64, which 'much' is not. Write for example price=1.5, or price for null."
        in err
    )


def test_a_cell_is_explained_with_its_inputs(run, shop):
    asked = ["explain", "shape:share", "id=1,price=2.5,pieces=2", "-p", shop]
    code, out, _ = run(*asked)
    assert code == 0
    assert "price * pieces / amount_sum_lifetime" in " ".join(out.split())

    code, out, _ = run(*asked, "--json")

    [told] = json.loads(out)["explain"]
    assert (told["view"], told["reason"]) == ("shape", "computed")
    assert [each["reason"] for each in told["inputs"]] == ["answered", "request", "request"]
    assert [each["value"] for each in told["inputs"]] == [3.0, 2.5, 2]
    assert told["value"] == 5.0 / 3.0


def test_each_input_has_a_line_and_what_is_not_given_is_told(run, shop):
    _, out, err = run("explain", "shape:share", "id=1,pieces=2", "-p", shop)

    assert out.splitlines() == [
        "share = null  (shape)",
        "    price * pieces / amount_sum_lifetime",
        out.splitlines()[2],
        "    price = null: none is given with checkout",
        "    pieces = 2, given with checkout",
    ]
    assert out.splitlines()[2].startswith("    amount_sum_lifetime = 3.0, sum of 2 values from")
    assert "price is not given, and so null" in err


def test_validate_counts_them(run, shop):
    code, _, err = run("validate", "-p", shop)

    assert code == 0
    assert "3 views and 2 on demand, 2 services" in err


def test_status_and_plan_know_them(run, shop):
    _, out, _ = run("status", "-p", shop, "--json")
    states = {view["view"]: view["state"] for view in json.loads(out)["status"]}
    assert (states["shape"], states["worth"]) == ("on demand", "on demand")

    code, out, _ = run("plan", "-p", shop, "--detailed-exitcode")

    assert code == 0
    assert out.startswith("Nothing to change")


@pytest.fixture
def spine(tmp_path: Path) -> Path:
    path = tmp_path / "spine.csv"
    noon = "1970-01-01T05:00:00Z"
    path.write_text(
        "id,event_timestamp,price,pieces\n" + "".join(f"1,{noon},{p},2\n" for p in (3, "", 5, 2))
    )
    return path


def test_verify_counts_and_names_them_like_others(run, shop, spine):
    code, out, err = run("verify", "everything", "--spine", spine, "-p", shop)

    assert code == 0
    assert [line.split() for line in out.splitlines() if line.strip()][2:] == [
        ["activity", "0", "4", "12", "0", "0", "0"],
        ["profile", "0", "4", "4", "0", "0", "0"],
        ["worth", "·", "4", "8", "0", "0", "0"],
        ["shape", "·", "4", "8", "0", "0", "0"],
    ]
    assert "32 values are as the rules give them" in err


def test_verify_says_what_it_did_not_check_why_and_what_to_do(run, shop):
    code, out, err = run("verify", "everything", "--sample", "20", "-p", shop)

    assert code == 0
    assert "worth" not in out
    assert (
        "worth not checked (worth, known): moments around stored events have no request values "
        "('price', 'pieces'). Give rows that have them, by spine= or --spine."
    ) in err
    code, out, _ = run("verify", "everything", "--sample", "20", "-p", shop, "--json")
    skipped = json.loads(out)["verify"]["skipped"]
    assert [(each["view"], each["features"]) for each in skipped] == [
        ("worth", ["worth", "known"]), ("shape", ["now_hour", "now_share"]),
    ]  # fmt: skip


def test_verify_finds_a_function_that_sees_other_rows(run, tmp_path, spine):
    filled = '{"worth": pc.fill_null(total, pc.mean(total)), "known": pc.is_valid(total)}'
    store = project(tmp_path, returning(filled))
    store.apply(store.plan())
    # Of four rows the second and the last are tried at each call.
    spine.write_text(spine.read_text().replace(",5,2\n", ",,2\n").replace(",,2\n", ",5,2\n", 1))

    code, out, err = run("verify", "worth", "--spine", spine, "-p", tmp_path)

    assert code == 1
    assert "worth:worth" in out
    assert "for the row alone, and the other among 4 rows" in out
    assert "1 of 8 values differ" in err
    code, out, _ = run("verify", "worth", "--spine", spine, "-p", tmp_path, "--json")
    told = json.loads(out)["verify"]
    assert (code, told["ok"], told["views"][0]["version"]) == (1, False, None)
    [difference] = told["views"][0]["differences"]
    assert (difference["feature"], difference["engine"]) == ("worth", 20.0 / 3.0)
    assert (difference["key"], difference["reference"]) == ({"price": None, "pieces": 2}, None)


def test_verify_names_what_is_computed_from_a_leak(run, shop, spine):
    spine.write_text(spine.read_text().replace("T05", "T02"))

    code, out, err = run("verify", "shape", "--spine", spine, "--leakage", "-p", shop)

    assert code == 1
    assert "profile:last_city, for shape" in out
    assert "profile:last_city, for shape is an input of shape:at_home: mend it first" in err
