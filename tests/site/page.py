"""Pages as a browser reads them: links, tables, definition lists and texts."""

import posixpath
from html.parser import HTMLParser

_VOID = {"meta", "link", "input", "br", "hr", "img"}
_SVG = {"path", "rect", "circle"}


class Page(HTMLParser):
    """A parsed page.

    Attributes:
        links: The targets of its links, scripts and style sheets.
        tags: Each tag with its attributes.
        tables: The rows of each table, each a list of texts.
        facts: The definition lists, as one dict.
        text: Its text.
        open: The tags that are open: none at the end of a well-formed page.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[list[list[str]]] = []
        self.facts: dict[str, str] = {}
        self.text = ""
        self.open: list[str] = []
        self._term = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = dict(attrs)
        self.tags.append((tag, own))
        self.links += [own[name] for name in ("href", "src") if own.get(name)]
        if tag not in _VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        elif tag == "dt":
            self._term = ""

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _SVG
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if {"td", "th"} & {*self.open}:
            self.tables[-1][-1][-1] += data
        elif "dt" in self.open:
            self._term += data
        elif "dd" in self.open:
            self.facts[self._term] = self.facts.get(self._term, "") + data

    def names(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of each tag of a name."""
        return [attributes for name, attributes in self.tags if name == tag]


def target_of(path: str, link: str) -> str:
    """Return the path of the file to which a page's link leads."""
    if link.startswith("#"):
        return path
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), link.partition("#")[0]))
