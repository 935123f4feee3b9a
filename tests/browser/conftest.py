"""One browser for all tests of the website, and pages that may load the site's own files only."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import featurestore as fs
from featurestore.site.build import build_site
from tests.site.conftest import NOW, filled_store, new_store
from tests.site.trained import save_and_record
from tools.install_browser import find_browser

playwright = pytest.importorskip("playwright.sync_api")
Browser, Page, Request = playwright.Browser, playwright.Page, playwright.Request
expect = playwright.expect

WIDE = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


# Not for the session: while Playwright runs, no other test of the process may start an event loop.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A browser; tests are skipped where there is none, but in CI they fail."""
    program = find_browser()
    if program is None:
        is_ci = os.environ.get("CI") or os.environ.get("HYPOTHESIS_PROFILE") == "ci"
        (pytest.fail if is_ci else pytest.skip)("no Chromium: run make setup-browser")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield opened
        opened.close()


class Visitor:
    """A person with a browser, who looks at one site in its folder.

    Attributes:
        page: The page.
        folder: The site's folder.
        problems: What the console and the network had to complain about.
    """

    def __init__(self, page: Page, folder: Path) -> None:
        self.page, self.folder, self.problems = page, folder, list[str]()
        page.set_default_timeout(5_000)
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("requestfailed", self._note_failed)
        page.on("request", self._check)

    def open(self, path: str) -> Page:
        """Go to a page of the site by its path, which may have a fragment."""
        self.page.goto("about:blank")  # so that a fragment is not a step within the same page
        self.page.goto(self.folder.as_uri() + "/" + path)
        return self.page

    @property
    def path(self) -> str:
        """The path of the present page in the site."""
        return self.page.url.removeprefix(self.folder.as_uri() + "/")

    def _note(self, message: object) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(message.text)

    def _note_failed(self, request: Request) -> None:
        # A person who leaves a page before it is loaded ends its requests: no fault of the page.
        if request.failure != "net::ERR_ABORTED":
            self.problems.append(request.url)

    def _check(self, request: Request) -> None:
        inside = request.url.startswith((self.folder.as_uri() + "/", "about:blank", "data:"))
        if not inside:
            self.problems.append(request.url)


Visit = Callable[..., Visitor]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Return a function that opens a site; at the end nothing may have gone wrong in any."""
    with visits(browser) as start:
        yield start


@pytest.fixture(scope="module")
def visits_of_module(browser: Browser) -> Iterator[Visit]:
    """The same for all tests of a module, which share what they open."""
    with visits(browser) as start:
        yield start


@contextmanager
def visits(browser: Browser) -> Iterator[Visit]:
    """Give a function that opens a site, with options of the browser, such as its width."""
    opened = []

    def start(folder: Path, **options: object) -> Visitor:
        context = browser.new_context(**{"viewport": WIDE, "reduced_motion": "reduce"} | options)
        visitor = Visitor(context.new_page(), folder)
        opened.append((context, visitor))
        return visitor

    yield start
    for context, visitor in opened:
        context.close()
        assert visitor.problems == []


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a built site with every kind of definition, a training set and a model."""
    store = filled_store(tmp_path_factory.mktemp("shop") / "project")
    save_and_record(store)
    return built(store)


def built(store: fs.FeatureStore) -> Path:
    """Build the site of a store beside its project, and return its folder."""
    return build_site(store, store.settings.folder.parent / "the site", NOW).folder


__all__ = [
    "NOW",
    "PHONE",
    "WIDE",
    "Visit",
    "Visitor",
    "built",
    "expect",
    "filled_store",
    "new_store",
    "visits",
]
