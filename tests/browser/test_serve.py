"""A page that is served loads again when the site was built again; the static one has no part."""

from pathlib import Path

import featurestore as fs
from tests.browser.conftest import Browser, expect, filled_store
from tests.site.conftest import DEFINITIONS
from tests.site.serve.test_server import serving


def apply_change(store: fs.FeatureStore) -> None:
    file = store.settings.definitions_folder / "shop.py"
    file.write_text(DEFINITIONS.replace('ttl="4h"', 'ttl="5h"'), "utf-8")
    store.apply(store.plan())


def test_an_open_page_shows_what_was_applied(browser: Browser, tmp_path: Path) -> None:
    store = filled_store(tmp_path / "project")
    with serving(store, tmp_path / "site") as running, browser.new_context() as context:
        page, problems = context.new_page(), list[str]()
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"http://127.0.0.1:{running.port}/views/profile.html")
        oldest = page.locator("dt", has_text="Oldest event").locator(
            "xpath=following-sibling::dd[1]"
        )
        expect(oldest).to_contain_text("4h")

        apply_change(store)

        expect(oldest).to_contain_text("5h", timeout=20_000)
        assert problems == []
