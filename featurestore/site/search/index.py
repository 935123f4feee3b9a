"""The index of the search: words with the entries that have them, in scripts by first letters.

The scripts are classic ones, so that they load from a folder without a server. Each calls a
function of ``assets/search.js`` with its data.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from featurestore.registry.search.entries import Entry, weights_of
from featurestore.site.addresses import page_of
from featurestore.site.scripts import script
from featurestore.site.search.broad import MOST_ENTRIES, broad_beginnings

_MOST_BYTES = 40_000
_CHUNK = 200


def index_scripts(entries: Sequence[Entry], most: int = MOST_ENTRIES) -> Iterator[tuple[str, str]]:
    """Yield the path and text of each script of the index.

    Args:
        entries: What can be found, in the order in which equally good results are shown.
        most: The most entries of a beginning of words that is not broad.

    Example:
        >>> scripts = dict(index_scripts([Entry("view", "activity")]))
        >>> scripts["search/w-a.js"].strip()
        'featurestoreWords("a",{"activity":[0,24]});'
    """
    words = _weighted(entries)
    broad = broad_beginnings(words, most)
    shards = dict(_sharded({word: own for word, own in words.items() if word not in broad}))
    heads = {"shards": sorted(shards), "broad": sorted(broad), "chunk": _CHUNK}
    yield "search/head.js", script("featurestoreHead", heads)
    yield "search/vocabulary.js", script("featurestoreVocabulary", sorted(words))
    for key, members in shards.items():
        yield f"search/w-{shard_name(key)}.js", script("featurestoreWords", key, members)
    for start, best in broad.items():
        yield f"search/b-{shard_name(start)}.js", script("featurestoreBroad", start, best)
    for number, first in enumerate(range(0, len(entries), _CHUNK)):
        rows = [_row(entry) for entry in entries[first : first + _CHUNK]]
        yield f"search/e-{number}.js", script("featurestoreEntries", number, rows)


def shard_name(key: str) -> str:
    """Return the part of a file name for the first letters of words.

    Example:
        >>> shard_name("am"), shard_name("é")
        ('am', '-e9')
    """
    return "".join(c if c.isascii() else f"-{ord(c):x}" for c in key)


def _weighted(entries: Iterable[Entry]) -> Mapping[str, list[int]]:
    """Return for each word the numbers of entries and their weights, in turn."""
    words: dict[str, list[int]] = {}
    for number, entry in enumerate(entries):
        for word, weight in weights_of(entry).items():
            words.setdefault(word, []).extend((number, weight))
    return words


def _sharded(
    words: Mapping[str, list[int]], letters: int = 1
) -> Iterator[tuple[str, Mapping[str, list[int]]]]:
    """Yield words by their first letters; by more letters where there are too many.

    Small groups stay together: a key of the search that needs twelve small files waits for twelve.
    """
    groups: dict[str, dict[str, list[int]]] = {}
    for word in sorted(words):
        groups.setdefault(word[:letters], {})[word] = words[word]
    for key, members in groups.items():
        if _size(members) <= _MOST_BYTES or len(members) == 1:
            yield key, members
            continue
        parts = dict(_sharded(members, letters + 1))
        small = [part for part in parts if _size(parts[part]) <= _MOST_BYTES // 4]
        together = {word: own for part in small for word, own in parts[part].items()}
        large = {part: own for part, own in parts.items() if part not in small}
        if not small or key in large or _size(together) > 2 * _MOST_BYTES:
            yield from parts.items()
        else:
            yield key, together
            yield from large.items()


def _size(words: Mapping[str, list[int]]) -> int:
    return sum(len(word) + 5 * len(found) for word, found in words.items())


def _row(entry: Entry) -> list[str]:
    page = page_of(entry.kind, entry.name, entry.view or None)
    return [entry.kind, entry.name, entry.view, page, entry.description[:_LONGEST]]


_LONGEST = 160
