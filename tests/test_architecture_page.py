"""docs/architecture.md names every layer, in the order of the contract, and every folder."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "featurestore"
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
# Parts of one idea, which the page explains as a whole.
EXPLAINED_TOGETHER = {"engines/spark"}


def first_cells(heading: str) -> list[str]:
    """Return the names in the first column of the table below a heading of the page."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([\w/]+)` \|", section, re.MULTILINE)


def layers_of_the_contract() -> list[list[str]]:
    """Return the layers of import-linter's contract, the uppermost first."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (contract,) = (
        each for each in settings["tool"]["importlinter"]["contracts"] if each["id"] == "layers"
    )
    return [re.findall(r"\w+", layer) for layer in contract["layers"]]


def test_the_page_lists_the_layers_in_the_order_of_the_contract() -> None:
    names = first_cells("Layers")
    layers = layers_of_the_contract()

    assert sorted(names) == sorted(name for layer in layers for name in layer)
    depths = {name: depth for depth, layer in enumerate(layers) for name in layer}
    assert [depths[name] for name in names] == sorted(depths.values())


def test_the_page_lists_every_folder() -> None:
    folders = {
        folder.parent.relative_to(PACKAGE).as_posix() for folder in PACKAGE.rglob("__init__.py")
    }
    nested = {
        name
        for name in folders
        if "/" in name and not any(name.startswith(f"{one}/") for one in EXPLAINED_TOGETHER)
    }

    assert sorted(first_cells("Folders")) == sorted(nested)
