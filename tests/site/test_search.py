"""The search as the browser runs it: the site's own script, in Node, on the index of Python."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featurestore.site.search.index import Entry, index_scripts

SCRIPT = Path(__file__).parents[2] / "featurestore" / "site" / "assets" / "search.js"
# Reads {script, files, queries}, and prints the results of each query.
PROGRAM = """
const vm = require("node:vm");
const input = JSON.parse(require("node:fs").readFileSync(0, "utf-8"));
vm.runInThisContext(input.script);
const loaded = [];
const load = async (path) => { loaded.push(path); vm.runInThisContext(input.files[path]); };
(async () => {
  const found = [];
  for (const query of input.queries) { found.push(await featurestoreFind(query, 1e9, load)); }
  console.log(JSON.stringify({ found, loaded }));
})();
"""
pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")


def run(entries: list[Entry], queries: list[str]) -> tuple[list[list[dict[str, str]]], list[str]]:
    """Return the results of each query, and the scripts that were loaded for them."""
    files = dict(index_scripts(entries))
    text = json.dumps({"script": SCRIPT.read_text("utf-8"), "files": files, "queries": queries})
    done = subprocess.run(
        ["node", "-e", PROGRAM], input=text, capture_output=True, text=True, check=True
    )
    answer = json.loads(done.stdout)
    assert all(found["total"] == len(found["results"]) for found in answer["found"])
    return [found["results"] for found in answer["found"]], answer["loaded"]


def names(entries: list[Entry], *queries: str) -> list[list[str]]:
    return [[each["name"] for each in found] for found in run(entries, list(queries))[0]]


def feature(name: str, view: str = "activity", description: str = "") -> Entry:
    return Entry("feature", name, f"features/{name}.html", view=view, description=description)


ENTRIES = [
    Entry("view", "activity", "views/activity.html", tags=("fraud",), owner="risk@example.com"),
    Entry("view", "amount", "views/amount.html", columns=("amount", "merchant_id")),
    feature("amount_sum_7d", description="money paid"),
    feature("amount_sum_1h"),
    feature("count_7d", description="an amount of rows"),
]


def test_all_words_of_a_query_must_be_found() -> None:
    assert names(ENTRIES, "amount 7d", "7D Amount", "sum money", "amount zzzz", "", " - ") == [
        ["amount_sum_7d", "count_7d"],
        ["amount_sum_7d", "count_7d"],
        ["amount_sum_7d"],
        [],
        [],
        [],
    ]


def test_the_entry_of_that_name_is_first_and_descriptions_are_last() -> None:
    (found,) = names(ENTRIES, "amount")

    assert found == ["amount", "amount_sum_7d", "amount_sum_1h", "count_7d"]


def test_tags_owners_and_columns_are_searched() -> None:
    assert names(ENTRIES, "fraud", "risk@example.com", "merchant") == [
        ["activity"],
        ["activity"],
        ["amount"],
    ]


@pytest.mark.parametrize(
    "query", ["amuont", "amoun7", "amounnt", "amaunt", "amqunt", "bmount", "mount", "amuont sum"]
)
def test_a_typing_error_is_forgiven(query: str) -> None:
    (found,) = names(ENTRIES, query)

    assert "amount_sum_7d" in found


def test_words_that_are_properties_of_every_object_are_words() -> None:
    entries = [feature("constructor"), feature("proto", "__proto__"), feature("hasOwnProperty")]

    assert names(entries, "constructor", "__proto__", "hasownproperty", "tostring") == [
        ["constructor"],
        ["proto"],
        ["hasOwnProperty"],
        [],
    ]


def test_a_search_loads_the_scripts_of_its_words_only() -> None:
    many = [feature(f"{a}{b}{c}_{n}") for a in "abc" for b in "xyz" for c in "pq"
            for n in range(400)]  # fmt: skip

    found, loaded = run(many, ["axp_399"])

    assert [each["name"] for each in found[0]] == ["axp_399"]
    assert len(loaded) <= 4
    assert len(dict(index_scripts(many))) > 40


plain = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_]{0,20}", fullmatch=True)
foreign = st.sampled_from(["é_à", "名前_x", "Straße", "ÉCOLE"])


@settings(max_examples=20)
@given(st.lists(plain | foreign, min_size=1, max_size=8))
def test_every_name_is_found_by_each_of_its_prefixes(drawn: list[str]) -> None:
    queries = [(name, name[:end]) for name in drawn for end in range(1, len(name) + 1)]
    entries = [feature(name) for name in drawn]

    found = names(entries, *(query for _, query in queries))

    for (name, query), results in zip(queries, found, strict=True):
        assert name in results or not any(letter.isalnum() for letter in query)
