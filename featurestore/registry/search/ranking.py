"""`SearchIndex`: finds entries by words. ``site/assets/search.js`` has the same rules of ranking.

The entries with the most words of a query are found: those with all words, if there are any. A
word counts by the part of the entry that has it, less if only its beginning was typed, and still
less with typing errors. These count only where no word begins with the text. The distance is
optimal string alignment: letters that differ, are missing, too many, or swapped with their
neighbour (L. Boytsov, "Indexing methods for approximate dictionary searching", ACM Journal of
Experimental Algorithmics 16, 2011).
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from featurestore.registry.search.entries import Entry, weights_of, words_of

BEGINNING = 0.7
"""The share of a word's weight if only its beginning is in the query."""
_WITH_ERROR = 0.4  # divided by the number of errors
_SHORT, _MIDDLE = 3, 8  # words below these lengths may have no errors, and one


class Match(NamedTuple):
    """What a search has found.

    Args:
        entry: The entry.
        score: How well it fits; higher is better.
        missing: The words of the query that it does not have.
    """

    entry: Entry
    score: float
    missing: tuple[str, ...]


class SearchIndex:
    """The words of entries.

    Args:
        entries: What can be found, in the order in which equally good results are shown.

    Example:
        >>> index = SearchIndex([Entry("view", "activity"), Entry("feature", "amount_sum_7d")])
        >>> [each.entry.name for each in index.find("amuont 7d")]
        ['amount_sum_7d']
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries: Sequence[Entry] = tuple(entries)
        self._words: dict[str, list[tuple[int, int]]] = {}
        for number, entry in enumerate(self._entries):
            for word, weight in weights_of(entry).items():
                self._words.setdefault(word, []).append((number, weight))
        self._vocabulary = sorted(self._words)

    def find(self, query: str) -> list[Match]:
        """Return the entries that have the most words of a query, the best first."""
        words = [(text, self._by_word(text)) for text in words_of(query)]
        counts = Counter(number for _, found in words for number in found)
        most = max(counts.values(), default=0)
        totals = {
            number: sum(found.get(number, 0.0) for _, found in words)
            for number, count in counts.items()
            if count == most
        }
        ranked = sorted(totals, key=lambda number: (-totals[number], number))
        missing = (
            tuple(text for text, found in words if number not in found) for number in ranked
        )
        return [
            Match(self._entries[number], totals[number], lacks)
            for number, lacks in zip(ranked, missing, strict=True)
        ]

    def _by_word(self, text: str) -> dict[int, float]:
        found: dict[int, float] = {}
        for word in self._beginning_with(text):
            self._count(found, word, 1 if word == text else BEGINNING)
        if not found:
            for word, errors in self._near(text):
                self._count(found, word, _WITH_ERROR / errors)
        return found

    def _beginning_with(self, text: str) -> Iterator[str]:
        for position in range(bisect_left(self._vocabulary, text), len(self._vocabulary)):
            if not self._vocabulary[position].startswith(text):
                return
            yield self._vocabulary[position]

    def _near(self, text: str) -> Iterator[tuple[str, int]]:
        most = 0 if len(text) < _SHORT else 1 if len(text) < _MIDDLE else 2
        known: dict[str, int | None] = {}
        for word in self._vocabulary if most else ():
            beginning = word[: len(text) + most]  # PERF: more letters cannot be nearer
            if beginning not in known:
                known[beginning] = errors_of(text, beginning, most)
            errors = known[beginning]
            if errors is not None:
                yield word, errors

    def _count(self, found: dict[int, float], word: str, share: float) -> None:
        for number, weight in self._words[word]:
            found[number] = max(found.get(number, 0.0), weight * share)


def errors_of(text: str, word: str, most: int) -> int | None:
    """Return the fewest typing errors between a text and the beginning of a word.

    Args:
        text: What was typed.
        word: The word.
        most: The most errors that count.

    Returns:
        The number of letters that differ, are missing, too many, or swapped with their neighbour;
        None if there are more than ``most``.

    Example:
        >>> errors_of("amuont", "amounts", 1), errors_of("xyz", "amount", 2)
        (1, None)
    """
    older: list[int] = []
    old = list(range(len(word) + 1))
    for i, letter in enumerate(text, 1):
        row = [i]
        for j, other in enumerate(word, 1):
            value = min(old[j] + 1, row[j - 1] + 1, old[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == word[j - 2] and text[i - 2] == other:
                value = min(value, older[j - 2] + 1)
            row.append(value)
        if min(row) > most:
            return None
        older, old = old, row
    errors = min(old)
    return errors if errors <= most else None
