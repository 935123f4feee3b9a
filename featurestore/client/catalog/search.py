"""The search in what is applied."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from featurestore.registry.search.entries import Entry
from featurestore.registry.search.ranking import SearchIndex


@dataclass(frozen=True)
class FoundDefinition:
    """What a search has found.

    Args:
        kind: ``"view"``, ``"service"``, ``"entity"``, ``"source"``, ``"training set"``,
            ``"model"`` or ``"feature"``.
        name: Its name.
        view: The view of a feature; empty for others.
        owner: Its owner; for a feature, that of its view; who saved or recorded it.
        description: Its description, or its meaning.
        score: How well it fits; higher is better.
        missing: The words of the text that it does not have: nothing has all of them.
    """

    kind: str
    name: str
    view: str
    owner: str
    description: str
    score: float
    missing: tuple[str, ...] = ()


def found_definitions(
    entries: Iterable[Entry], text: str, limit: int | None = None
) -> Iterator[FoundDefinition]:
    """Yield what has the most words of a text, the best first.

    Args:
        entries: What can be found.
        text: The words.
        limit: The most results; None for all.

    Example:
        >>> list(found_definitions([], "amount"))
        []
    """
    for entry, score, missing in islice(SearchIndex(entries).find(text), limit):
        yield FoundDefinition(
            entry.kind,
            entry.name,
            entry.view,
            owner=entry.owner,
            description=entry.description,
            score=score,
            missing=missing,
        )
