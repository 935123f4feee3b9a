"""The files of the search's index: each word once, in a file whose key begins it."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from featurestore.registry.search.entries import Entry
from featurestore.site.search.index import index_scripts
from tests.effort import examples

CALL = re.compile(r"^featurestoreWords\((.*)\);$", re.DOTALL)


def words_by_file(entries: list[Entry]) -> dict[str, dict[str, list[int]]]:
    found = {}
    for path, text in index_scripts(entries):
        if path.startswith("search/w-"):
            key, words = json.loads(f"[{CALL.match(text.strip())[1]}]")
            assert key not in found
            found[key] = words
    return found


@examples(30)
@given(
    st.lists(st.tuples(st.text("78d", min_size=1, max_size=3), st.integers(1, 2000)), max_size=12)
)
def test_each_word_is_in_one_file_whose_key_begins_it(repeated: list[tuple[str, int]]) -> None:
    entries = [Entry("feature", word) for word, times in repeated for _ in range(times)]

    files = words_by_file(entries)

    stored = [(word, key) for key, words in files.items() for word in words]
    assert sorted(word for word, _ in stored) == sorted({word for word, _ in repeated})
    assert all(word.startswith(key) for word, key in stored)


def test_small_files_of_one_beginning_are_one() -> None:
    few = [Entry("feature", f"7{digit}") for digit in range(10)]
    many = [Entry("feature", "7d")] * 9000

    files = words_by_file([*few, *many])

    assert sorted(files) == ["7", "7d"]
    assert len(files["7"]) == 10
