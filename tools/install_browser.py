"""Find the browser that tests of the website drive, or install Debian's through apt."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tools.apt import install

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def main() -> str | None:
    """Return why there is no browser and how to install it, or None if there is one."""
    if find_browser() is None:
        install(("chromium",), "no Chromium was found; installing one through apt")
    if find_browser() is None:
        return (
            "setup: the tests of the website need a browser. No Chromium is on PATH. Install one: "
            "apt-get install chromium, or write BROWSER_PROGRAM=/path/to/chrome."
        )
    return None


def find_browser(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the program of a Chromium: that of BROWSER_PROGRAM, or the first on PATH."""
    if named := environ.get("BROWSER_PROGRAM"):
        return shutil.which(named)
    found = (shutil.which(name, path=environ.get("PATH", "")) for name in NAMES)
    return next(filter(None, found), None)


if __name__ == "__main__":
    sys.exit(main())
