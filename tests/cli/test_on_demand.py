"""On-demand features on the command line, with request values beside the keys."""

import json
from pathlib import Path

import pytest

from tests.client.on_demand_shop import (
    FUNCTION,
    ON_DEMAND,
    fill,
    filled_shop,
    project,
    returning,
)
from tests.client.shop import DEFINITIONS


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    filled_shop(tmp_path)
    return tmp_path


def test_request_values_are_written_beside_the_keys(run, shop):
    code, out, _ = run(
        "latest", "shape", "id=1,price=2.5,pieces=2", "id=2,price=1,pieces=4", "-p", shop,
        "--format", "json",
    )  # fmt: skip

    assert code == 0
    rows = [json.loads(line) for line in out.splitlines()]
    assert [(row["price"], row["pieces"]) for row in rows] == [(2.5, 2), (1.0, 4)]
    assert [row["share"] for row in rows] == [5.0 / 3.0, 0.4]


def test_a_request_value_of_another_type_is_an_error_with_an_example(run, shop):
    code, _, err = run("latest", "shape", "id=1,price=much,pieces=2", "-p", shop)

    assert code == 2
    for part in ("'price'", "Float64", "'much'", "price=1.5"):
        assert part in err


def test_a_cell_is_explained_with_its_inputs(run, shop):
    words = ["explain", "shape:share", "id=1,price=2.5,pieces=2", "-p", shop]
    code, out, _ = run(*words)
    assert code == 0
    assert "price * pieces / amount_sum_lifetime" in " ".join(out.split())

    code, out, _ = run(*words, "--json")

    [cell] = json.loads(out)["explain"]
    assert (cell["view"], cell["reason"]) == ("shape", "computed")
    assert [each["reason"] for each in cell["inputs"]] == ["answered", "request", "request"]
    assert [each["value"] for each in cell["inputs"]] == [3.0, 2.5, 2]
    assert cell["value"] == 5.0 / 3.0


def test_each_input_has_a_line_and_missing_request_values_are_named(run, shop):
    _, out, err = run("explain", "shape:share", "id=1,pieces=2", "-p", shop)

    heading, expression, *inputs = out.splitlines()
    assert heading == "share = null  (shape)"
    assert expression == "    price * pieces / amount_sum_lifetime"
    starts = ("    amount_sum_lifetime = 3.0", "    price = null", "    pieces = 2")
    assert [line.startswith(start) for line, start in zip(inputs, starts, strict=True)] == [
        True
    ] * 3
    assert "checkout" in inputs[1]
    assert "checkout" in inputs[2]
    assert err.startswith("price ")


def test_validate_counts_on_demand_views(run, shop):
    code, _, err = run("validate", "-p", shop)

    assert code == 0
    for count in ("3 views", "2 on-demand views", "2 services"):
        assert count in err


def test_on_demand_views_are_in_status_and_plan(run, shop):
    _, out, _ = run("status", "-p", shop, "--json")
    states = {view["view"]: view["state"] for view in json.loads(out)["status"]}
    assert (states["shape"], states["worth"]) == ("on demand", "on demand")
    counts = [(v["rows"], v["rows_quarantined"]) for v in json.loads(out)["status"]]
    assert counts.count((None, None)) == 2

    code, out, _ = run("plan", "-p", shop, "--detailed-exitcode")

    assert code == 0
    assert len(out.splitlines()) == 1


@pytest.fixture
def spine(tmp_path: Path) -> Path:
    path = tmp_path / "spine.csv"
    noon = "1970-01-01T05:00:00Z"
    path.write_text(
        "id,event_timestamp,price,pieces\n" + "".join(f"1,{noon},{p},2\n" for p in (3, "", 5, 2))
    )
    return path


def test_verify_counts_on_demand_features_like_others(run, shop, spine):
    code, out, err = run("verify", "everything", "--spine", spine, "-p", shop)

    assert code == 0
    assert [line.split() for line in out.splitlines() if line.strip()][2:] == [
        ["activity", "0", "4", "12", "0", "0", "0"],
        ["profile", "0", "4", "4", "0", "0", "0"],
        ["worth", "·", "4", "8", "0", "0", "0"],
        ["shape", "·", "4", "8", "0", "0", "0"],
    ]
    assert "32 values equal" in err


def test_verify_names_unchecked_features_the_reason_and_the_fix(run, shop):
    code, out, err = run("verify", "everything", "--sample", "20", "-p", shop)

    assert code == 0
    assert "worth" not in out
    (line,) = [line for line in err.splitlines() if line.startswith("worth not checked ")]
    for part in ("(worth, known)", "('price', 'pieces')", "--spine"):
        assert part in line
    code, out, _ = run("verify", "everything", "--sample", "20", "-p", shop, "--json")
    skipped = json.loads(out)["verify"]["skipped"]
    assert [(each["view"], each["features"]) for each in skipped] == [
        ("worth", ["worth", "known"]), ("shape", ["now_hour", "now_share"]),
    ]  # fmt: skip


def test_verify_finds_a_function_that_uses_other_rows(run, tmp_path, spine):
    filled = '{"worth": pc.fill_null(total, pc.mean(total)), "known": pc.is_valid(total)}'
    store = project(tmp_path, returning(filled))
    store.apply(store.plan())
    # Each call tries two rows alone: of four, the second and the last.
    spine.write_text(spine.read_text().replace(",5,2\n", ",,2\n").replace(",,2\n", ",5,2\n", 1))

    code, out, err = run("verify", "worth", "--spine", spine, "-p", tmp_path)

    assert code == 1
    assert "worth:worth" in out
    assert "4 in all" in out
    assert "1 of 8 values differ" in err
    code, out, _ = run("verify", "worth", "--spine", spine, "-p", tmp_path, "--json")
    document = json.loads(out)["verify"]
    assert (code, document["ok"], document["views"][0]["version"]) == (1, False, None)
    [difference] = document["views"][0]["differences"]
    assert (difference["feature"], difference["engine"]) == ("worth", 20.0 / 3.0)
    assert (difference["key"], difference["reference"]) == ({"price": None, "pieces": 2}, None)


def test_verify_names_the_features_that_use_a_leak(run, shop, spine):
    spine.write_text(spine.read_text().replace("T05", "T02"))

    code, out, err = run("verify", "shape", "--spine", spine, "--leakage", "-p", shop)

    assert code == 1
    assert "profile:last_city, for shape" in out
    assert "profile:last_city, for shape is used by shape:at_home" in err


def refuse(constant: str) -> object:
    raise ValueError(constant)


RATIO = """
import featurestore as fs

schema = (fs.Field("a", fs.Float64), fs.Field("b", fs.Float64))
given = fs.RequestSource("given", schema=schema)
ratio = fs.OnDemandFeatureView(
    "ratio", sources=(given,), schema=(fs.Field("r", fs.Float64),), transform={"r": "a / b"}
)
"""


@pytest.mark.parametrize(
    ("b", "value"), [("0", "Infinity"), ("-0.0", "-Infinity"), ("nan", "NaN"), ("2", 0.5)]
)
def test_json_has_texts_for_numbers_that_json_lacks(run, tmp_path, b, value):
    store = project(tmp_path, RATIO)
    store.apply(store.plan())
    words = ["ratio", f"a=1,b={b}", "-p", tmp_path]

    _, printed, _ = run("latest", *words, "--format", "json")
    run("latest", *words, "--out", tmp_path / "rows.jsonl")
    _, explained, _ = run("explain", *words, "--json")

    [cell] = json.loads(explained, parse_constant=refuse)["explain"]
    assert cell["value"] == value
    for line in (printed, (tmp_path / "rows.jsonl").read_text("utf-8")):
        assert json.loads(line, parse_constant=refuse)["r"] == value


PRINTING = """    print("computing", len(inputs))
    total = pc.multiply"""


@pytest.mark.parametrize(
    "verb",
    [
        ["latest", "worth", "id=1,price=2.5,pieces=2", "--format", "json"],
        ["historical", "worth", "id=1,price=2,pieces=2", "--at", "1970-01-02", "--format", "json"],
        ["explain", "worth", "id=1,price=2.5,pieces=2", "--json"],
        ["verify", "worth", "--sample", "3", "--json"],
    ],
)
def test_what_a_function_prints_goes_to_stderr(run, tmp_path, verb):
    checkout = ON_DEMAND.partition("shape =")[0]
    text = FUNCTION.replace("    total = pc.multiply", PRINTING)
    store = project(tmp_path, DEFINITIONS + checkout + text)
    store.apply(store.plan())
    fill(store)

    code, out, err = run(*verb, "-p", tmp_path)

    assert code == 0
    assert json.loads(out)
    if verb[0] != "verify":  # without request values, it computes nothing
        assert "computing" in err
