"""`build_site`: the registry as a folder of pages that opens without a server."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from featurestore.client.feature_store import FeatureStore
from featurestore.registry.search.entries import entries_of
from featurestore.site.addresses import data_of
from featurestore.site.catalog import Catalog, read_catalog
from featurestore.site.documents.parts import moment
from featurestore.site.folder import MARKER, SCHEMA, replaced_folder
from featurestore.site.machines import llms_txt, registry_json
from featurestore.site.pages import Pages
from featurestore.site.search.index import index_scripts

_ASSETS = Path(__file__).parent / "assets"


@dataclass(frozen=True)
class BuiltSite:
    """A site that was built.

    Args:
        folder: Its folder.
        index: Its first page.
        pages: The number of its pages.
        files: The number of its files.
        problems: What could not be read, as texts.
    """

    folder: Path
    index: Path
    pages: int
    files: int
    problems: tuple[str, ...] = ()


def build_site(store: FeatureStore, out: Path, now: datetime) -> BuiltSite:
    """Write the site of a store to a folder; an earlier site there is replaced as a whole.

    Args:
        store: The store. Its registry, ledgers and Delta logs are read; rows only of a training
            set that drift is compared with and that an old release saved without statistics.
        out: The folder: missing, empty, or an earlier site.
        now: The moment of the build, which all pages show.

    Raises:
        RequestError: The folder holds other files. Nothing is changed.
        TableError: The registry is damaged, or a newer release wrote it.
        ConflictError: Another process builds the same site.
        StorageError: The disk refuses it.
    """
    with replaced_folder(out) as folder:
        catalog = read_catalog(store, now)
        made: set[Path] = set()
        paths: list[str] = []
        for path, text in site_files(catalog):
            file = folder / path
            if file.parent not in made:
                file.parent.mkdir(parents=True, exist_ok=True)
                made.add(file.parent)
            # A lone surrogate, which JSON may have, is no letter of UTF-8.
            file.write_bytes(text.encode("utf-8", "replace"))
            paths.append(path)
        marker = {
            "schema": SCHEMA,
            "project": catalog.project,
            "version": catalog.version,
            "built_at": moment(now),
            "files": sorted(paths),
        }
        (folder / MARKER).write_text(json.dumps(marker, indent=1) + "\n", "utf-8")
    pages = sum(path.endswith(".html") for path in paths)
    problems = tuple(str(problem) for problem in catalog.problems)
    return BuiltSite(out, out / "index.html", pages, len(paths) + 1, problems)


def site_files(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each file of a site, but for the marker."""
    for page in Pages(catalog):
        yield page.path, page.html
        yield data_of(page.path), _json(page.data)
        yield from page.scripts
    yield "registry.json", registry_json(catalog)
    yield "llms.txt", llms_txt(catalog)
    newest = (versions[-1] for versions in catalog.training_sets.values())
    found = {name: [each.name for each in own] for name, own in catalog.found_columns.items()}
    yield from index_scripts(list(entries_of(catalog.manifest, newest, catalog.models, found)))
    for asset in sorted(_ASSETS.iterdir()):
        if asset.suffix in (".css", ".js"):
            yield f"assets/{asset.name}", asset.read_text("utf-8")


def _json(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n"
