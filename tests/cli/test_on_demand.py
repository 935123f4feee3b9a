"""On-demand features on the command line: request values are typed on the shell, and told of."""

import json
from pathlib import Path

import pytest

from tests.client.on_demand_shop import filled_shop


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
    assert "Give a double." in err


def test_a_cell_is_explained_with_its_inputs(run, shop):
    asked = ["explain", "shape:share", "id=1,price=2.5,pieces=2", "-p", shop]
    code, out, _ = run(*asked)
    assert code == 0
    assert "price * pieces / amount_sum_lifetime" in " ".join(out.split())

    code, out, _ = run(*asked, "--json")

    [told] = json.loads(out)["explain"]
    assert (told["view"], told["reason"]) == ("shape", "computed")
    assert [each["reason"] for each in told["inputs"]] == ["answered", "request", "request"]


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


def test_verify_checks_what_is_stored_and_names_what_is_not(run, shop):
    code, _, err = run("verify", "everything", "--sample", "20", "-p", shop)

    assert code == 0
    assert "worth" in err
