"""Text as a dictionary in ascending order: nothing is lost, for any number of threads."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.engines.retrieval.sorted_dictionary import sorted_dictionary

# é and 😀 have another order in UTF-16 than in UTF-8.
TEXT = st.text(alphabet="ab\0zé😀", max_size=4)
TEXTS = st.lists(st.none() | TEXT, max_size=40)


@given(texts=TEXTS, threads=st.integers(1, 5), rows=st.integers(1, 50), cut=st.integers(0, 40))
def test_the_dictionary_ascends_by_utf_8_bytes(
    texts: list[str | None], threads: int, rows: int, cut: int
) -> None:
    column = pa.chunked_array([texts[:cut], texts[cut:]], pa.string())
    encoded = sorted_dictionary(column, threads, rows_per_thread=rows)
    distinct = {text for text in texts if text is not None}
    assert encoded.dictionary.to_pylist() == sorted(distinct, key=lambda text: text.encode())
    assert encoded.to_pylist() == texts
    assert encoded.indices.type == pa.int32()


def test_one_text_in_most_rows_is_encoded_by_one_thread() -> None:
    texts = ["hot"] * 5_000 + [f"{number:04}" for number in range(1_000)]
    encoded = sorted_dictionary(pa.chunked_array([texts]), threads=4, rows_per_thread=1)
    assert encoded.to_pylist() == texts
    assert encoded.dictionary.to_pylist() == sorted(set(texts))


@pytest.mark.parametrize("threads", [1, 3])
def test_no_texts_give_an_empty_dictionary(threads: int) -> None:
    for texts in ([], [None, None, None]):
        column = pa.chunked_array([texts], pa.string())
        encoded = sorted_dictionary(column, threads, rows_per_thread=1)
        assert (encoded.to_pylist(), encoded.dictionary.to_pylist()) == (texts, [])
