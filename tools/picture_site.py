"""Draw the README's pictures of the website: ``python -m tools.picture_site SITE``.

SITE is what `featurestore docs build` wrote for the project of docs/tutorial.md,
with a saved training set and a recorded model. Each picture is
drawn in light and in dark.
"""

import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

OUT = Path(__file__).parents[1] / "docs" / "images"
CHROMIUM = "/usr/bin/chromium"
MOST_BYTES = 150_000
# Alone, and whole: a picture cannot be scrolled, as a wide drawing can.
WHOLE_DRAWING = """() => {
    const parents = [];
    for (let each = document.querySelector("main svg"); each; each = each.parentElement)
        parents.push(each);
    for (const each of parents) each.style.maxWidth = "none";
    document.querySelector("header").remove();
}"""
# The page, and how wide and high the picture is.
PICTURES = {
    "site-feature": ("features/customer_activity/amount_sum_7d.html", 1200, 1060),
    "site-lineage": ("lineage.html", 1660, 490),
}


def main(site: Path) -> None:
    """Write all pictures of a site."""
    with sync_playwright() as playwright:
        installed = CHROMIUM if Path(CHROMIUM).exists() else None
        browser = playwright.chromium.launch(executable_path=installed)
        for name, (page, width, height) in PICTURES.items():
            for scheme in ("light", "dark"):
                draw(browser, site.resolve() / page, OUT / f"{name}-{scheme}.png", (width, height))
        browser.close()


def draw(browser: Browser, page: Path, out: Path, size: tuple[int, int]) -> None:
    """Write the picture of one page. The scheme is the last part of the picture's name."""
    if not page.is_file():
        raise SystemExit(f"{page} is not there: build the site of the tutorial first")
    scheme = out.stem.rpartition("-")[2]
    opened = browser.new_page(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    opened.goto(page.as_uri())
    if page.name == "lineage.html":
        opened.evaluate(WHOLE_DRAWING)
    opened.screenshot(path=out, animations="disabled")
    opened.close()
    if out.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{out} has {out.stat().st_size:,} bytes: show less of the page")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
