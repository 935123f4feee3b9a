"""Codes of text keys: alike where the words are, in their order, and of nobody else's rows."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from featurestore.definitions.model.types import String
from featurestore.engines.kernel.keys import encode
from featurestore.query.nodes import KeyBinding

KEY = KeyBinding("id", "card", String)
WORDS = st.lists(
    st.none() | st.sampled_from(["", "a", "ab", "b", "ba", "c", "é", "𝄞"]), max_size=12
)


@given(asked=WORDS, chunks=st.lists(WORDS, min_size=1, max_size=3), data=st.data())
def test_codes_tell_words_apart_and_keep_their_order(asked, chunks, data) -> None:
    in_order = data.draw(st.booleans(), "in order")
    if in_order:  # as files are: null keys first
        flat = sorted((w for each in chunks for w in each), key=lambda w: (w or "").encode())
        chunks = [flat[: len(flat) // 2], flat[len(flat) // 2 :]]
    column = pa.chunked_array(chunks, pa.string())
    if data.draw(st.booleans(), "as dictionaries"):
        column = pa.chunked_array(
            [chunk.dictionary_encode() for chunk in column.chunks],
            pa.dictionary(pa.int32(), pa.string()),
        )
    codes = encode(
        [KEY], pa.table({"card": pa.array(asked, pa.string())}), pa.table({"id": column})
    )

    stored = [word for each in chunks for word in each]
    assert len(codes.spine) == len(asked) and len(codes.rows) == len(stored)
    of_spine = dict(zip(asked, codes.spine.tolist(), strict=True))
    of_rows = dict(zip(stored, codes.rows.tolist(), strict=True))
    assert codes.spine.tolist() == [of_spine[word] for word in asked]
    assert codes.rows.tolist() == [of_rows[word] for word in stored]
    assert of_spine.pop(None, -1) == -1 and of_rows.pop(None, -1) == -1
    shared = {word: of_spine[word] for word in of_spine.keys() & of_rows.keys()}
    assert shared == {word: of_rows[word] for word in shared}
    for known in (of_spine, {word: code for word, code in of_rows.items() if code >= 0}):
        ordered = sorted(known, key=lambda word: word.encode())
        assert sorted(set(known.values())) == [known[word] for word in ordered]
        assert all(0 <= code < codes.distinct for code in known.values())
    absent_keys = {of_rows[word] for word in of_rows.keys() - of_spine.keys()}
    assert not absent_keys & set(of_spine.values())


def test_rows_of_a_few_other_words_keep_a_code_so_that_none_is_left_out() -> None:
    stored = pa.chunked_array([pa.array(list("aabbcdde")).dictionary_encode()])
    codes = encode([KEY], pa.table({"card": ["e", "d", "a", "c"]}), pa.table({"id": stored}))

    assert codes.rows.tolist() == [0, 0, 1, 1, 2, 3, 3, 4]
    assert (codes.spine.tolist(), codes.distinct) == ([4, 3, 0, 2], 5)


def test_rows_of_mostly_other_words_have_none() -> None:
    codes = encode([KEY], pa.table({"card": ["c"]}), pa.table({"id": list("aabbccd")}))

    assert codes.rows.tolist() == [-1, -1, -1, -1, 0, 0, -1]
    assert (codes.spine.tolist(), codes.distinct) == ([0], 1)
