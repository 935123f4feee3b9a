"""What MkDocs does besides: pages from outside of docs/, and links that lead out of it."""

import re
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import featurestore
from featurestore.errors import FeatureStoreError

ROOT = Path(__file__).parents[2]
# Pages outside of docs/, by their places in the website.
OUTSIDE = {"index.md": "README.md", "contributing.md": "CONTRIBUTING.md"}
DECISIONS = "adr/index.md"
REFERENCE = {
    "reference/store.md": "The store, frames and labels",
    "reference/definitions.md": "Definitions",
    "reference/errors.md": "Errors",
}
_CODE = re.compile(r"(^ *```.*?^ *```)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(!?)\[([^\[\]]*)\]\(([^)\s]+)\)")


def anchor(text: str, separator: str) -> str:
    """Return the anchor of a heading, as GitHub makes it, so that links work at both places."""
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", separator)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the decisions and the pages of the reference into the navigation."""
    decisions = [DECISIONS, *sorted(f"adr/{page.name}" for page in ROOT.glob("docs/adr/*.md"))]
    lists = {"adr/": decisions, "reference/": [{v: k} for k, v in REFERENCE.items()]}
    config.nav = _filled(config.nav, lists)
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages that are not in docs/."""
    pages = {place: (ROOT / page).read_text("utf-8") for place, page in OUTSIDE.items()}
    pages |= {DECISIONS: _decisions(), **_reference()}
    for place, text in pages.items():
        files.append(File.generated(config, place, content=text))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links lead to pages of the website; a link to a file of the repository becomes text."""
    place = page.file.src_uri
    own = OUTSIDE.get(place, f"docs/{place}")

    def moved(link: re.Match[str]) -> str:
        mark, text, target = link.groups()
        path, _, fragment = target.partition("#")
        if "://" in target or not path:
            return link[0]
        found = _place(normpath(f"{PurePosixPath(own).parent}/{path}"))
        if found is None:
            return text
        to = relpath(found, str(PurePosixPath(place).parent))
        return f"{mark}[{text}]({to}{'#' if fragment else ''}{fragment})"

    if place in OUTSIDE:
        markdown = markdown.replace('src="docs/', 'src="').replace('srcset="docs/', 'srcset="')
    parts = _CODE.split(markdown)
    return "".join(part if n % 2 else _LINK.sub(moved, part) for n, part in enumerate(parts))


def _place(path: str) -> str | None:
    """Return the place in the website of a file of the repository; None if it has none."""
    if path == "docs/adr":
        return DECISIONS
    outside = {page: place for place, page in OUTSIDE.items()}
    if path in outside:
        return outside[path]
    return path.removeprefix("docs/") if path.startswith("docs/") else None


def _filled(nav: list[object], lists: dict[str, list[object]]) -> list[object]:
    """Return the navigation with lists of pages in place of their folders."""
    filled: list[object] = []
    for entry in nav:
        [(title, value)] = entry.items() if isinstance(entry, dict) else [("", entry)]
        value = _filled(value, lists) if isinstance(value, list) else lists.get(value, value)
        filled.append({title: value} if title else value)
    return filled


def _decisions() -> str:
    lines = ["# Decisions", "", "Why it is built this way: context, choice, and price.", ""]
    for page in sorted(ROOT.glob("docs/adr/*.md")):
        title = page.read_text("utf-8").splitlines()[0].removeprefix("# ")
        lines.append(f"- [{title}]({page.name})")
    return "\n".join(lines) + "\n"


def _reference() -> dict[str, str]:
    """Return the pages with every public name; the docstrings come from mkdocstrings."""
    names: dict[str, list[str]] = {place: [] for place in REFERENCE}
    for name in featurestore.__all__:
        names[_page_of(name)].append(name)
    return {
        place: f"# {REFERENCE[place]}\n\n"
        + "".join(f"::: featurestore.{name}\n\n" for name in sorted(found))
        for place, found in names.items()
    }


def _page_of(name: str) -> str:
    public = getattr(featurestore, name)
    if isinstance(public, type) and issubclass(public, FeatureStoreError):
        return "reference/errors.md"
    if getattr(public, "__module__", "").startswith("featurestore.client"):
        return "reference/store.md"
    return "reference/definitions.md"
