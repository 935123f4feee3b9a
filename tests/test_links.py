"""Every link of the pages leads to a file of this repository, and to a heading that is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "feature_defs/*.md", "demo/*.md")
    for page in ROOT.glob(pattern)
)
LINK = re.compile(r"\]\(([^)\s]+)\)|\bsrc(?:set)?=\"([^\"]+)\"")
CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def anchors_of(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = HEADING.findall(CODE_BLOCK.sub("", page.read_text("utf-8")))
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files_and_headings_that_exist(page: Path) -> None:
    missing = []
    for link in map("".join, LINK.findall(page.read_text("utf-8"))):
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        if "://" in link:
            continue
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            missing.append(link)

    assert missing == []


NAMED = [
    ROOT / page
    for page in (
        "CONTRIBUTING.md",
        "demo/README.md",
        "docs/architecture.md",
        "feature_defs/README.md",
    )
]
PATH = re.compile(r"`([\w-]+\.py|[\w-]+(?:/[\w.-]+)+/?)`")
CODE_FOLDERS = ("featurestore", "demo", "feature_defs")
# Files that a reader makes by an example of a page, or that the demo and `make docs` write.
MADE_LATER = re.compile(r"energy|mean_abs|^data/|^build/")


def exists(path: str) -> bool:
    """Return whether a file is there: below the root or the package, or a module by its name."""
    if "/" in path:
        return any((folder / path).exists() for folder in (ROOT, ROOT / "featurestore"))
    return any(any((ROOT / folder).rglob(path)) for folder in CODE_FOLDERS)


@pytest.mark.parametrize("page", NAMED, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_files_that_a_page_names_exist(page: Path) -> None:
    paths = set(PATH.findall(page.read_text("utf-8")))
    missing = [path for path in paths if not MADE_LATER.search(path) and not exists(path)]

    assert paths
    assert missing == []
