"""The search as the browser runs it: the site's own script on the index of Python."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featurestore.registry.search.entries import Entry
from featurestore.registry.search.ranking import SearchIndex
from featurestore.site.search.broad import MOST_ENTRIES
from featurestore.site.search.index import index_scripts
from tests.browser.conftest import Browser

SCRIPT = Path(__file__).parents[2] / "featurestore" / "site" / "assets" / "search.js"
# Gives the results of each query, and the scripts that were loaded for them.
PROGRAM = """
async ({ script, files, queries }) => {
  const run = (0, eval);
  run(script);
  const loaded = [];
  const load = async (path) => { loaded.push(path); run(files[path]); };
  const found = [];
  for (const query of queries) { found.push(await featurestoreFind(query, 1e9, load)); }
  return { found, loaded };
}
"""
Run = Callable[..., tuple[list[list[dict[str, str]]], list[str]]]
Names = Callable[..., list[list[str]]]


@pytest.fixture(scope="module")
def run(browser: Browser) -> Run:
    """Return a function that gives the results of each query, and the scripts loaded for them."""
    page = browser.new_page()

    def results(
        entries: list[Entry], queries: list[str], most: int = MOST_ENTRIES
    ) -> tuple[list[list[dict]], list[str]]:
        files = dict(index_scripts(entries, most))
        given = {"script": SCRIPT.read_text("utf-8"), "files": files, "queries": queries}
        answer = page.evaluate(PROGRAM, given)
        assert all(found["total"] == len(found["results"]) for found in answer["found"])
        return [found["results"] for found in answer["found"]], answer["loaded"]

    return results


@pytest.fixture(scope="module")
def names(run: Run) -> Names:
    """Return a function that gives the names of the results of each query."""
    return lambda entries, *queries: [
        [each["name"] for each in found] for found in run(entries, list(queries))[0]
    ]


def feature(name: str, view: str = "activity", description: str = "") -> Entry:
    return Entry("feature", name, view=view, description=description)


ENTRIES = [
    Entry("view", "activity", tags=("fraud",), owner="risk@example.com"),
    Entry("view", "amount", columns=("amount", "merchant_id")),
    feature("amount_sum_7d", description="money paid"),
    feature("amount_sum_1h"),
    feature("count_7d", description="an amount of rows"),
    Entry("training set", "churn_2026", owner="ana", columns=("is_churned",)),
    Entry("model", "churn_model", tags=("champion",), owner="ana"),
]


def test_entries_with_the_most_words_of_a_query_are_found(names: Names) -> None:
    assert names(ENTRIES, "amount 7d", "7D Amount", "sum money", "amount zzzz", "", " - ") == [
        ["amount_sum_7d", "count_7d"],
        ["amount_sum_7d", "count_7d"],
        ["amount_sum_7d"],
        ["amount", "amount_sum_7d", "amount_sum_1h", "count_7d"],
        [],
        [],
    ]


def test_the_entry_of_that_name_is_first_and_descriptions_are_last(names: Names) -> None:
    (found,) = names(ENTRIES, "amount")

    assert found == ["amount", "amount_sum_7d", "amount_sum_1h", "count_7d"]


def test_tags_owners_and_columns_are_searched(names: Names) -> None:
    assert names(ENTRIES, "fraud", "risk@example.com", "merchant") == [
        ["activity"],
        ["activity"],
        ["amount"],
    ]


@pytest.mark.parametrize(
    "query", ["amuont", "amoun7", "amounnt", "amaunt", "amqunt", "bmount", "mount", "amuont sum"]
)
def test_a_typing_error_is_forgiven(names: Names, query: str) -> None:
    (found,) = names(ENTRIES, query)

    assert "amount_sum_7d" in found


def test_words_that_are_properties_of_every_object_are_words(names: Names) -> None:
    entries = [feature("constructor"), feature("proto", "__proto__"), feature("hasOwnProperty")]

    assert names(entries, "constructor", "__proto__", "hasownproperty", "tostring") == [
        ["constructor"],
        ["proto"],
        ["hasOwnProperty"],
        [],
    ]


def test_a_search_loads_the_scripts_of_its_words_only(run: Run) -> None:
    many = [feature(f"{a}{b}{c}_{n}") for a in "abc" for b in "xyz" for c in "pq"
            for n in range(400)]  # fmt: skip

    found, loaded = run(many, ["axp_399"])

    assert [each["name"] for each in found[0]] == ["axp_399"]
    assert len(loaded) <= 4
    assert len(dict(index_scripts(many))) > 40


def test_words_of_very_many_entries_rank_and_exclude_nothing(run: Run) -> None:
    names = ["price_1", *(f"amount_{n}" for n in range(6))]
    entries = [feature(name, view="") for name in names]

    found, loaded = run(entries, ["a", "amount 1", "amuont", "amount", "1"], most=4)

    assert [[each["name"] for each in results] for results in found] == [
        [f"amount_{n}" for n in range(6)],
        ["amount_1", "price_1"],
        [f"amount_{n}" for n in range(6)],
        [f"amount_{n}" for n in range(6)],
        ["price_1", "amount_1"],
    ]
    assert "search/b-amount.js" in loaded
    assert "search/w-a.js" not in loaded


plain = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_]{0,20}", fullmatch=True)
foreign = st.sampled_from(["é_à", "名前_x", "Straße", "ÉCOLE"])


@settings(max_examples=20)
@given(st.lists(plain | foreign, min_size=1, max_size=8))
def test_every_name_is_found_by_each_of_its_prefixes(names: Names, drawn: list[str]) -> None:
    queries = [(name, name[:end]) for name in drawn for end in range(1, len(name) + 1)]
    entries = [feature(name) for name in drawn]

    found = names(entries, *(query for _, query in queries))

    for (name, query), results in zip(queries, found, strict=True):
        assert name in results or not any(letter.isalnum() for letter in query)


texts = st.text("ab7_ é", max_size=12)
entries = st.builds(
    Entry,
    st.sampled_from(["feature", "training set", "model"]),
    texts.map(lambda text: f"a{text}"),
    view=texts,
    description=texts,
    owner=texts,
    tags=st.lists(texts, max_size=2).map(tuple),
)


@settings(max_examples=20)
@given(st.lists(entries, max_size=12), st.lists(texts, max_size=6))
def test_python_finds_the_same_in_the_same_order(
    run: Run, drawn: list[Entry], queries: list[str]
) -> None:
    index = SearchIndex(drawn)

    found, _ = run(drawn, queries)

    for query, results in zip(queries, found, strict=True):
        expected = [(entry.name, entry.view) for entry, *_ in index.find(query)]
        assert [(each["name"], each["view"]) for each in results] == expected


def test_python_finds_the_same_among_plain_entries(run: Run) -> None:
    queries = ["amount", "amount 7d", "amuont", "bmount sum", "risk example", "zzzz", "mon", "7",
               "ana", "churn", "champoin", "sum 7d zzzz"]  # fmt: skip
    index = SearchIndex(ENTRIES)

    found, _ = run(ENTRIES, queries)

    assert [[each["name"] for each in results] for results in found] == [
        [entry.name for entry, *_ in index.find(query)] for query in queries
    ]
    assert all(results for query, results in zip(queries, found, strict=True) if query != "zzzz")
