"""A list of definitions: pages that are whole without scripts, and what its script loads."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from featurestore.site.addresses import LISTS
from featurestore.site.documents.parts import Document
from featurestore.site.lists.facets import Facet, Values, facets_of, values_of
from featurestore.site.scripts import script

CHUNK = 50
"""The rows of one script."""
PAGE = 200
"""The rows of one page."""


@dataclass(frozen=True)
class Kind:
    """What the list of a kind of definition shows.

    Args:
        columns: The data of each row, besides its name.
        facets: The names of its facets.
    """

    columns: tuple[str, ...]
    facets: tuple[str, ...]


KINDS: Mapping[str, Kind] = {
    "view": Kind(
        ("kind", "description", "domain", "entities", "source", "derived", "freshness",
         "drift_state", "owner", "tags"),
        ("domain", "entity", "owner", "tag", "freshness", "drift"),
    ),
    "feature": Kind(
        ("view", "meaning", "description", "domain", "type", "window", "drift_state", "used_by"),
        ("domain", "entity", "owner", "tag", "freshness", "drift", "type", "window"),
    ),
    "entity": Kind(("description", "domain", "owner", "tags"), ("domain", "owner", "tag")),
    "source": Kind(
        ("type", "description", "domain", "owner", "tags"),
        ("domain", "entity", "type", "owner", "tag"),
    ),
    "service": Kind(
        ("description", "domain", "views", "owner", "tags"), ("domain", "entity", "owner", "tag")
    ),
    "training set": Kind(
        ("version", "rows", "columns", "label", "selection", "saved_at", "saved_by", "error"),
        ("service", "label", "saved by"),
    ),
    "model": Kind(
        ("version", "training_set", "training_set_version", "feature_count", "uri", "tags",
         "recorded_at", "recorded_by"),
        ("training set", "tag", "recorded by"),
    ),
}  # fmt: skip


class Listing:
    """The rows of a list, which are collected while the pages of its members are made.

    Args:
        kind: A key of `KINDS`.
    """

    def __init__(self, kind: str) -> None:
        self.kind, self.folder = kind, LISTS[kind]
        self._rows: list[Document] = []
        self._values: list[tuple[Values, ...]] = []

    @property
    def title(self) -> str:
        """The title of its pages."""
        return self.folder.replace("-", " ").capitalize()

    def add(self, data: Document) -> None:
        """Append a member by the data of its page."""
        self._rows.append({name: data[name] for name in ("name", *KINDS[self.kind].columns)})
        self._values.append(values_of(KINDS[self.kind].facets, data))

    def chunks(self) -> Iterator[list[Document]]:
        """Yield the rows of each script."""
        for start in range(0, len(self._rows), CHUNK):
            yield self._rows[start : start + CHUNK]

    def pages(self) -> Iterator[Document]:
        """Yield the data of each page of the list."""
        last = max(1, -(-len(self._rows) // PAGE))
        for number in range(1, last + 1):
            yield {
                "schema": f"featurestore.site.{self.folder}/1",
                "count": len(self._rows),
                "page": number,
                "pages": last,
                "rows": self._rows[(number - 1) * PAGE : number * PAGE],
            }

    def facets(self) -> list[Facet]:
        """Return the facets that have more than one value."""
        return facets_of(KINDS[self.kind].facets, self._values)

    def scripts(self, facets: Sequence[Facet], rows: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield the path and text of each script of the list; none if it has no facets.

        Args:
            facets: Its facets.
            rows: The rows of each script as HTML.
        """
        if not facets:
            return
        data = [facet.data for facet in facets]
        index = {"rows": len(self._rows), "chunk": CHUNK, "facets": data}
        yield f"lists/{self.folder}.js", script("featurestoreFacets", index)
        for number, text in enumerate(rows):
            yield f"lists/{self.folder}-{number}.js", script("featurestoreRows", number, text)


def near_pages(number: int, last: int) -> list[int]:
    """Return the numbers of the pages to which a page of a list has links.

    Example:
        >>> near_pages(7, 90)
        [1, 5, 6, 7, 8, 9, 90]
    """
    return sorted({1, *range(max(1, number - 2), min(last, number + 2) + 1), last})
