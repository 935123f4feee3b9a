"""The index of the search: words with the entries that have them, in scripts by first letters.

The scripts are classic ones, so that they load from a folder without a server. Each calls a
function of ``assets/search.js`` with its data.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass

_WORD = re.compile(r"[^\W_]+")
_MOST_BYTES = 40_000
_CHUNK = 200
# How much a word counts, by the part of an entry that it is in.
_WEIGHTS = {"name": 12, "tags": 6, "view": 4, "owner": 4, "columns": 4, "description": 2}


@dataclass(frozen=True)
class Entry:
    """What a search finds.

    Args:
        kind: The kind of definition, or ``"feature"``.
        name: Its name.
        page: The path of its page.
        view: The view of a feature.
        description: Its description, or its meaning.
        owner: Its owner.
        tags: Its tags.
        columns: The names of its columns.
    """

    kind: str
    name: str
    page: str
    _: KW_ONLY
    view: str = ""
    description: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


def words_of(text: str) -> list[str]:
    """Return the words of a text: runs of letters and digits, in lower case.

    Example:
        >>> words_of("amount_sum_7d of Paid-out")
        ['amount', 'sum', '7d', 'of', 'paid', 'out']
    """
    return _WORD.findall(text.lower())


def index_scripts(entries: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    """Yield the path and text of each script of the index.

    Args:
        entries: What can be found, in the order in which equally good results are shown.

    Example:
        >>> scripts = dict(index_scripts([Entry("view", "activity", "views/activity.html")]))
        >>> scripts["search/w-a.js"].strip()
        'featurestoreWords("a",{"activity":[0,24]});'
    """
    words = _weighted(entries)
    shards = dict(_sharded(words))
    heads = {"shards": sorted(shards), "entries": len(entries), "chunk": _CHUNK}
    yield "search/head.js", _call("featurestoreHead", heads)
    yield "search/vocabulary.js", _call("featurestoreVocabulary", sorted(words))
    for key, members in shards.items():
        yield f"search/w-{shard_name(key)}.js", _call("featurestoreWords", key, members)
    for number, start in enumerate(range(0, len(entries), _CHUNK)):
        rows = [_row(entry) for entry in entries[start : start + _CHUNK]]
        yield f"search/e-{number}.js", _call("featurestoreEntries", number, rows)


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
        own: dict[str, int] = {}
        for word, weight in _words(entry):
            own[word] = max(weight, own.get(word, 0))
        for word, weight in own.items():
            words.setdefault(word, []).extend((number, weight))
    return words


def _words(entry: Entry) -> Iterator[tuple[str, int]]:
    name = words_of(entry.name)
    # A word counts more in a short name, so that the whole name's entry is the first.
    weight = _WEIGHTS["name"] + _WEIGHTS["name"] // max(1, len(name))
    yield from ((word, weight) for word in name)
    for part, text in (
        ("view", entry.view),
        ("owner", entry.owner),
        ("tags", " ".join(entry.tags)),
        ("columns", " ".join(entry.columns)),
        ("description", entry.description),
    ):
        yield from ((word, _WEIGHTS[part]) for word in words_of(text))


def _sharded(
    words: Mapping[str, list[int]], letters: int = 1
) -> Iterator[tuple[str, Mapping[str, list[int]]]]:
    """Yield words by their first letters; by more letters where there are too many."""
    groups: dict[str, dict[str, list[int]]] = {}
    for word in sorted(words):
        groups.setdefault(word[:letters], {})[word] = words[word]
    for key, members in groups.items():
        size = sum(len(word) + 5 * len(found) for word, found in members.items())
        if size > _MOST_BYTES and len(members) > 1:
            yield from _sharded(members, letters + 1)
        else:
            yield key, members


def _row(entry: Entry) -> list[str]:
    return [entry.kind, entry.name, entry.view, entry.page, entry.description[:_LONGEST]]


_LONGEST = 160


def _call(function: str, *values: object) -> str:
    texts = (json.dumps(value, separators=(",", ":")) for value in values)
    return f"{function}({','.join(texts)});\n"
