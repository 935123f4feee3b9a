"""Beginnings of words that very many entries have: only their best entries are in the index.

Somebody who types ``a`` has not yet said what to look for, and a word that all entries have says
nothing. The index has a few entries for each of them, so that a search stays quick. They exclude
no entry that fits the other words of a query; they only rank it.
"""

from collections.abc import Iterable, Mapping, Sequence
from heapq import nsmallest

from featurestore.registry.search.ranking import BEGINNING

MOST_ENTRIES = 25_000
"""A beginning with more entries is broad."""
KEPT = 200
"""The entries of a broad beginning that the index has."""
Postings = Sequence[int]


def broad_beginnings(
    words: Mapping[str, Postings], most: int = MOST_ENTRIES
) -> dict[str, list[float]]:
    """Return the best entries of each broad beginning: their numbers and weights, in turn.

    Args:
        words: The entries that have each word: their numbers and weights, in turn.
        most: The most entries of a beginning that is not broad.

    Example:
        >>> broad_beginnings({"sum": [0, 12, 1, 24], "small": [2, 2]}, most=2)["su"]
        Traceback (most recent call last):
            ...
        KeyError: 'su'
        >>> broad_beginnings({"sum": [0, 12, 1, 24], "small": [2, 2]}, most=2)["s"]
        [1, 16.8, 0, 8.4, 2, 1.4]
    """
    totals: dict[str, int] = {}
    for word, postings in words.items():
        for end in range(1, len(word) + 1):
            totals[word[:end]] = totals.get(word[:end], 0) + len(postings) // 2
    broad = {start: list[str]() for start, total in totals.items() if total > most}
    for word in words:
        for end in range(1, len(word) + 1):
            if word[:end] in broad:
                broad[word[:end]].append(word)
    best = {word: _best(_pairs(words[word])) for found in broad.values() for word in found}
    return {start: _merged(start, found, best) for start, found in broad.items()}


def _pairs(postings: Postings) -> Iterable[tuple[int, float]]:
    return zip(postings[::2], postings[1::2], strict=True)


def _best(pairs: Iterable[tuple[int, float]]) -> list[tuple[int, float]]:
    return nsmallest(KEPT, pairs, key=lambda pair: (-pair[1], pair[0]))


def _merged(
    start: str, words: Iterable[str], best: Mapping[str, list[tuple[int, float]]]
) -> list[float]:
    scores: dict[int, float] = {}
    for word in words:
        share = 1 if word == start else BEGINNING
        for entry, weight in best[word]:
            scores[entry] = max(scores.get(entry, 0), round(weight * share, 1))
    return [value for pair in _best(scores.items()) for value in pair]
