"""Texts as dictionaries: the words ascend and nothing is lost, however many threads share them."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.engines.retrieval.sorted_dictionary import ascending_words

WORD = st.text(alphabet="ab\0zé😀", max_size=4)  # é and 😀 tell UTF-8 order from UTF-16 order
TEXTS = st.lists(st.none() | WORD, max_size=40)


@given(texts=TEXTS, threads=st.integers(1, 5), rows=st.integers(1, 50), cut=st.integers(0, 40))
def test_the_words_ascend_by_their_bytes(
    texts: list[str | None], threads: int, rows: int, cut: int
) -> None:
    column = pa.chunked_array([texts[:cut], texts[cut:]], pa.string())
    encoded = ascending_words(column, threads, rows_a_thread=rows)
    distinct = {text for text in texts if text is not None}
    assert encoded.dictionary.to_pylist() == sorted(distinct, key=lambda word: word.encode())
    assert encoded.to_pylist() == texts
    assert encoded.indices.type == pa.int32()


def test_one_word_in_most_rows_is_not_parted() -> None:
    texts = ["hot"] * 5_000 + [f"{number:04}" for number in range(1_000)]
    encoded = ascending_words(pa.chunked_array([texts]), threads=4, rows_a_thread=1)
    assert encoded.to_pylist() == texts
    assert encoded.dictionary.to_pylist() == sorted(set(texts))


@pytest.mark.parametrize("threads", [1, 3])
def test_no_texts_have_no_words(threads: int) -> None:
    for texts in ([], [None, None, None]):
        encoded = ascending_words(pa.chunked_array([texts], pa.string()), threads, rows_a_thread=1)
        assert (encoded.to_pylist(), encoded.dictionary.to_pylist()) == (texts, [])
