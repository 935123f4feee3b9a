"""What a browser loads of the website, and how long keys and clicks take."""

import gzip
import sys
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page, sync_playwright

from tools.install_browser import find_browser

KINDS = ("views", "features", "entities", "sources", "services", "lineage")
QUERIES = ("amount 7d", "prcie 30d", "risk@example.com")
# Runs an action, and gives the milliseconds until the page shows its effect.
TIMED = """
async ([action, target, value]) => {
  const element = document.querySelector(target);
  const watched = document.querySelector(value.watched);
  const start = performance.now();
  const done = new Promise((resolve) => {
    new MutationObserver(() => resolve()).observe(watched, { childList: true, subtree: true });
  });
  if (action === "key") {
    element.value = value.text;
    element.dispatchEvent(new Event("input"));
  } else {
    element.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  }
  await done;
  document.body.getBoundingClientRect();
  return performance.now() - start;
}
"""
Rows = list[list[object]]


def measured_in_browser(folder: Path) -> tuple[Rows, Rows]:
    """Return the sizes of pages, and the times of keys and clicks.

    Args:
        folder: The site's folder.
    """
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        sizes = _sizes(browser, folder)
        times = [
            ["a key of the search", *_of(_keys(page, folder))],
            ["a click in lineage", *_of(_lineage_clicks(page, folder))],
            ["a click on a facet", *_of(_facet_clicks(page, folder))],
        ]
        browser.close()
    return sizes, times


def _of(times: list[float]) -> list[float]:
    return [round(median(times), 1), round(max(times), 1)]


def _sizes(browser: Browser, folder: Path) -> Rows:
    """Return what each kind of page loads: the first page whole, others without what it loaded."""
    page = browser.new_page()
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))
    first = _load(page, folder, "index.html", loaded)
    rows: Rows = [["index.html", round(sum(map(_size, first)) / 1e3, 1)]]
    for path in (*_lists(folder), *_largest(folder)):
        more = {*_load(page, folder, path, loaded)} - {*first}
        rows.append([path, round(sum(map(_size, more)) / 1e3, 1)])
    choice = "features.html#type=Float64"
    more = {*_load(page, folder, choice, loaded)} - {*first}
    return [*rows, [choice, round(sum(map(_size, more)) / 1e3, 1)]]


def _lists(folder: Path) -> list[str]:
    return [f"{kind}.html" for kind in KINDS if (folder / f"{kind}.html").exists()]


def _largest(folder: Path) -> list[str]:
    """Return the largest page of each folder."""
    folders = [path for path in folder.iterdir() if path.is_dir() and path.name not in ("api",)]
    pages = [max(path.rglob("*.html"), key=_length, default=None) for path in sorted(folders)]
    return [page.relative_to(folder).as_posix() for page in pages if page is not None]


def _length(path: Path) -> int:
    return path.stat().st_size


def _load(page: Page, folder: Path, path: str, loaded: list[str]) -> list[str]:
    page.goto("about:blank")
    loaded.clear()
    page.goto(f"{folder.as_uri()}/{path}")
    page.wait_for_timeout(1000)
    return [url.partition("#")[0] for url in loaded]


def _size(url: str) -> int:
    if not url.startswith("file://"):
        return 0
    return len(gzip.compress(Path(url.removeprefix("file://")).read_bytes()))


def _keys(page: Page, folder: Path) -> list[float]:
    page.goto(f"{folder.as_uri()}/index.html")
    page.locator("[data-search]").click()  # as a person does, a moment before the first key
    page.wait_for_timeout(300)
    times = []
    for query in QUERIES:
        for end in range(1, len(query) + 1):
            value = {"text": query[:end], "watched": "[data-status]"}
            times.append(page.evaluate(TIMED, ["key", "[data-search]", value]))
    return times


def _lineage_clicks(page: Page, folder: Path) -> list[float]:
    times = []
    for kind in ("sources", "views", "services"):
        for path in sorted((folder / kind).glob("*.html"))[:5]:
            page.goto(path.as_uri())
            for number in range(6):
                closed = page.locator("svg.lineage .closed").count()
                if not closed:
                    break
                page.evaluate(
                    "(n) => document.querySelectorAll('svg.lineage .closed')[n].id = 'next'",
                    number % closed,
                )
                value = {"watched": "svg.lineage"}
                times.append(page.evaluate(TIMED, ["click", "#next", value]))
    return times


def _facet_clicks(page: Page, folder: Path) -> list[float]:
    page.goto(f"{folder.as_uri()}/features.html")
    times = []
    for number in (0, 9, 17, 17, 9, 0):
        page.evaluate(
            "(n) => { document.querySelectorAll('#next').forEach((each) => { each.id = ''; });"
            " document.querySelectorAll('.facets input')[n].id = 'next'; }",
            number,
        )
        times.append(page.evaluate(TIMED, ["click", "#next", {"watched": "[data-count]"}]))
    return times


if __name__ == "__main__":
    print(measured_in_browser(Path(sys.argv[1])))
