"""Large texts keep within the memory limit, or the call is refused and a larger limit works."""

import re
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.definitions.model.types import Int64, String
from featurestore.engines.retrieval.answer import answer
from featurestore.engines.retrieval.answer_size import AnswerSize, columns_fit
from featurestore.engines.retrieval.scatter import narrowed
from featurestore.errors import RequestError
from featurestore.query.nodes import Column, KeyBinding, Query, ViewQuery
from featurestore.sizes import parse_bytes
from featurestore.store.columns import UTC_MICROS
from featurestore.store.delta.snapshot import Snapshot, open_snapshot
from tests.tables import feature_table, write_runs

VIEW = ViewQuery(
    "v",
    keys=(KeyBinding("id", "id", Int64),),
    timestamp_field="at",
    columns=(Column("text", "text", String),),
)
QUERY = Query("call()", (VIEW,))


def table(folder: Path, texts: list[str]) -> dict[str, Snapshot]:
    rows = len(texts)
    write_runs(folder, [feature_table({"id": list(range(rows))}, [1] * rows, {"text": texts})])
    return {"v": open_snapshot(str(folder))}


def spine(keys: list[int]) -> pa.Table:
    return pa.table({"id": keys, "at": pa.array([5] * len(keys), UTC_MICROS)})


@pytest.mark.parametrize("repeated", [False, True])
def test_large_texts_are_refused_and_the_proposed_limit_is_enough(
    tmp_path: Path, repeated: bool
) -> None:
    texts = [chr(97 + (0 if repeated else n % 26)) * 100_000 for n in range(50)]
    tables, moments = table(tmp_path, texts), spine([n % 50 for n in range(200)])

    with pytest.raises(RequestError) as refused:
        answer(QUERY, moments, tables, memory_limit=20_000_000)
    limit = parse_bytes(re.search(r"memory_limit='(\w+)'", refused.value.fix)[1])
    answered = answer(QUERY, moments, tables, memory_limit=limit)

    assert limit > 3 * 200 * 100_000
    assert answered["text"].to_pylist() == [texts[n % 50] for n in range(200)]


def test_rows_with_larger_texts_than_the_mean_are_refused_when_they_come(tmp_path: Path) -> None:
    tables = table(tmp_path, ["x" * 2_000_000, *["x"] * 20_000])

    with pytest.raises(RequestError) as refused:
        answer(QUERY, spine([0] * 20), tables, memory_limit=30_000_000)
    limit = parse_bytes(re.search(r"memory_limit='(\w+)'", refused.value.fix)[1])

    assert answer(QUERY, spine([0] * 20), tables, memory_limit=limit).num_rows == 20
    assert answer(QUERY, spine([1] * 20), tables, memory_limit=30_000_000).num_rows == 20


def test_answers_of_all_chunks_count_together() -> None:
    size = AnswerSize("call()", rows=4, limit=1000)
    texts = {"text": pa.chunked_array([["x" * 200]]), "n": pa.chunked_array([[1]])}

    size.add(texts, rows=1)
    with pytest.raises(RequestError) as refused:
        size.add(texts, rows=1)

    assert refused.value.call == "call()"
    AnswerSize("call()", rows=4, limit=None).add(texts, rows=1)


@pytest.mark.parametrize(
    "text",
    [
        "Failed casting from large_string to string: input array too large",
        "offset overflow while concatenating arrays",
        "array cannot contain more than 2147483646 bytes, have 2147483648",
    ],
)
def test_a_column_that_arrow_cannot_hold_is_an_error_that_says_what_to_do(text: str) -> None:
    with pytest.raises(RequestError) as refused, columns_fit("call()"):
        raise pa.ArrowInvalid(text)
    with pytest.raises(pa.ArrowInvalid), columns_fit("call()"):
        raise pa.ArrowInvalid("something else")

    assert "fewer spine rows" in refused.value.fix


@given(
    texts=st.lists(st.none() | st.text("aä", max_size=9), max_size=12),
    first=st.integers(0, 12),
    most=st.integers(1, 20),
)
def test_texts_in_several_chunks_are_the_same_texts(
    texts: list[str | None], first: int, most: int
) -> None:
    column = pa.array(texts, pa.large_string())[first:]

    pieces = narrowed(column, pa.string(), most_bytes=most)

    assert pieces.type == pa.string()
    assert pieces.to_pylist() == texts[first:]
    for piece in pieces.chunks if isinstance(pieces, pa.ChunkedArray) else []:
        sizes = [len((text or "").encode()) for text in piece.to_pylist()]
        assert sum(sizes) <= most + max(sizes)
