"""Codes of text keys: equal for equal texts, in the order of the texts, and -1 for no match."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from featurestore.definitions.model.types import String
from featurestore.engines.kernel.keys import encode
from featurestore.query.nodes import KeyBinding

KEY = KeyBinding("id", "card", String)
TEXTS = st.lists(
    st.none() | st.sampled_from(["", "a", "ab", "b", "ba", "c", "é", "𝄞"]), max_size=12
)


@given(spine=TEXTS, chunks=st.lists(TEXTS, min_size=1, max_size=3), data=st.data())
def test_codes_are_equal_for_equal_texts_and_in_their_order(spine, chunks, data) -> None:
    in_order = data.draw(st.booleans(), "in order")
    if in_order:  # as in files: null keys first
        flat = sorted((t for each in chunks for t in each), key=lambda t: (t or "").encode())
        chunks = [flat[: len(flat) // 2], flat[len(flat) // 2 :]]
    column = pa.chunked_array(chunks, pa.string())
    if data.draw(st.booleans(), "as dictionaries"):
        column = pa.chunked_array(
            [chunk.dictionary_encode() for chunk in column.chunks],
            pa.dictionary(pa.int32(), pa.string()),
        )
    codes = encode(
        [KEY], pa.table({"card": pa.array(spine, pa.string())}), pa.table({"id": column})
    )

    stored = [text for each in chunks for text in each]
    assert len(codes.spine) == len(spine) and len(codes.rows) == len(stored)
    of_spine = dict(zip(spine, codes.spine.tolist(), strict=True))
    of_rows = dict(zip(stored, codes.rows.tolist(), strict=True))
    assert codes.spine.tolist() == [of_spine[text] for text in spine]
    assert codes.rows.tolist() == [of_rows[text] for text in stored]
    assert of_spine.pop(None, -1) == -1 and of_rows.pop(None, -1) == -1
    shared = {text: of_spine[text] for text in of_spine.keys() & of_rows.keys()}
    assert shared == {text: of_rows[text] for text in shared}
    for by_text in (of_spine, {text: code for text, code in of_rows.items() if code >= 0}):
        ordered = sorted(by_text, key=lambda text: text.encode())
        assert sorted(set(by_text.values())) == [by_text[text] for text in ordered]
        assert all(0 <= code < codes.distinct for code in by_text.values())
    absent_keys = {of_rows[text] for text in of_rows.keys() - of_spine.keys()}
    assert not absent_keys & set(of_spine.values())


def test_a_few_stored_keys_that_the_spine_lacks_get_codes_of_their_own() -> None:
    stored = pa.chunked_array([pa.array(list("aabbcdde")).dictionary_encode()])
    codes = encode([KEY], pa.table({"card": ["e", "d", "a", "c"]}), pa.table({"id": stored}))

    assert codes.rows.tolist() == [0, 0, 1, 1, 2, 3, 3, 4]
    assert (codes.spine.tolist(), codes.distinct) == ([4, 3, 0, 2], 5)


def test_many_stored_keys_that_the_spine_lacks_get_no_codes() -> None:
    codes = encode([KEY], pa.table({"card": ["c"]}), pa.table({"id": list("aabbccd")}))

    assert codes.rows.tolist() == [-1, -1, -1, -1, 0, 0, -1]
    assert (codes.spine.tolist(), codes.distinct) == ([0], 1)
