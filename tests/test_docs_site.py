"""The pages of docs/ build as a website: no broken link, and nothing from another host."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import featurestore as fs

ROOT = Path(__file__).parents[1]
LOADED = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*\bsrc=[\"']?((?:https?:)?//[^\"'\s>]+)"
    r"|<link\b(?=[^>]*\brel=[\"']?(?:stylesheet|preconnect|icon|preload))[^>]*"
    r"\bhref=[\"']?((?:https?:)?//[^\"'\s>]+)"
)
IN_STYLE = re.compile(r"url\([\"']?((?:https?:)?//[^)]+)\)|@import")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    settings = ROOT / "tools" / "docs_site" / "mkdocs.yml"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", settings, "-d", folder]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.slow
def test_each_page_has_a_place_and_each_public_name_its_reference(site: Path) -> None:
    pages = {page.relative_to(ROOT / "docs").with_suffix("") for page in ROOT.glob("docs/**/*.md")}
    built = {page.relative_to(site).with_suffix("") for page in site.rglob("*.html")}
    reference = "".join(page.read_text("utf-8") for page in site.glob("reference/*.html"))
    documented = set(re.findall(r'id="featurestore\.(\w+)"', reference))

    assert pages <= built
    assert {Path(name) for name in ("index", "contributing", "adr/index")} <= built
    assert documented >= set(fs.__all__)


@pytest.mark.slow
def test_nothing_comes_from_another_host(site: Path) -> None:
    loaded = [
        (page.name, *found)
        for page in site.rglob("*.html")
        for found in LOADED.findall(page.read_text("utf-8"))
    ]
    styles = [
        (page.name, found)
        for page in site.rglob("*.css")
        for found in IN_STYLE.findall(page.read_text("utf-8"))
    ]

    assert loaded == []
    assert styles == []
