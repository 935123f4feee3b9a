"""Text as a dictionary whose words ascend, made by several threads."""

from functools import partial
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from featurestore.engines.arrays import Mask, whole
from featurestore.engines.retrieval.threads import run_all

_SAMPLED = 1_000

_Ranks = npt.NDArray[np.int32]


def ascending_words(
    texts: pa.ChunkedArray | pa.Array, threads: int = 1, *, rows_a_thread: int = 20_000
) -> pa.DictionaryArray:
    """Return texts as a dictionary of distinct words, ordered by their UTF-8 bytes.

    Each thread takes the words between two of a sample, as in samplesort (Frazer and McKellar,
    "Samplesort: A Sampling Approach to Minimal Storage Tree Sorting", 1970): what the threads
    find only needs to be put one behind the other.

    Args:
        texts: What to encode; nulls stay null.
        threads: How many threads may work at once.
        rows_a_thread: For fewer texts than that, one more thread does not pay.

    Example:
        >>> encoded = ascending_words(pa.chunked_array([["b", "a"], ["b", None]]), threads=2)
        >>> encoded.dictionary.to_pylist(), encoded.indices.to_pylist()
        (['a', 'b'], [1, 0, 1, None])
    """
    plain = whole(texts)
    pivots = _pivots(plain, min(threads, len(plain) // rows_a_thread))
    ranges = pairwise([None, *pivots, None])
    found = run_all((partial(_between, plain, *ends) for ends in ranges), threads)
    ranks, first = np.full(len(plain), -1, np.int32), 0
    for rows, words, rank in found:
        ranks[rows] = rank + np.int32(first)
        first += len(words)
    missing = ranks < 0 if plain.null_count else None
    words = pa.concat_arrays([words for _, words, _ in found])
    return pa.DictionaryArray.from_arrays(pa.array(ranks, mask=missing), words)


def _pivots(texts: pa.Array, parts: int) -> list[pa.Scalar]:
    """Return words that part the texts evenly, ascending."""
    if parts < 2:
        return []
    sample = texts.take(pa.array(np.linspace(0, len(texts) - 1, _SAMPLED).astype(np.int64)))
    known = sample.drop_null()
    if not len(known):
        return []
    ordered = known.take(pc.sort_indices(known))
    return list(ordered.take(pa.array(np.arange(1, parts) * len(ordered) // parts)).unique())


def _between(
    texts: pa.Array, least: pa.Scalar | None, limit: pa.Scalar | None
) -> tuple[Mask | slice, pa.Array, _Ranks]:
    """Return which texts are from ``least`` to below ``limit``, their words, and their ranks."""
    rows: Mask | slice = slice(None)
    if least is not None or limit is not None:
        mask = _is_between(texts, least, limit)
        texts, rows = texts.filter(mask), np.asarray(mask.fill_null(False))
    encoded = texts.dictionary_encode()
    order = pc.sort_indices(encoded.dictionary)
    rank = np.full(len(order) + 1, -1, np.int32)  # the last is that of null
    rank[order.to_numpy()] = np.arange(len(order))
    return rows, encoded.dictionary.take(order), rank[encoded.indices.fill_null(-1).to_numpy()]


def _is_between(texts: pa.Array, least: pa.Scalar | None, limit: pa.Scalar | None) -> pa.Array:
    if least is None:
        return pc.less(texts, limit)
    if limit is None:
        return pc.greater_equal(texts, least)
    return pc.and_(pc.greater_equal(texts, least), pc.less(texts, limit))
