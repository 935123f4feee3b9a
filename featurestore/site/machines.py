"""Files for programs: the registry's document, the entries of the search, and ``llms.txt``."""

import re

from featurestore.site.addresses import data_of, page_of
from featurestore.site.catalog import Catalog
from featurestore.site.documents.parts import safe

_MARKUP = re.compile(r"[\\`\[\]<>]")  # what begins a link, a tag or code in Markdown


def registry_json(catalog: Catalog) -> str:
    """Return the newest applied definitions as the registry has them; empty without any."""
    return safe(catalog.history[-1].document) + "\n" if catalog.history else "{}\n"


def llms_txt(catalog: Catalog) -> str:
    """Return a short map of the site for language models, in Markdown."""
    lines = [
        f"# {safe(catalog.project)}",
        "",
        "> A feature store's registry as a static site. Each page has the same data as JSON under "
        "api/v1/, at the page's path with the suffix .json.",
        "",
        "- [All definitions](registry.json): the registry's document",
        "- [Overview](api/v1/index.json): counts, freshness, health, what was applied lately",
        "- [Lineage](api/v1/lineage.json): what is made from what",
        "- [Impact](api/v1/impact.json): the columns of each source; what one reaches is in "
        "api/v1/impact/SOURCE/COLUMN.json",
        "",
        "## Views",
        "",
    ]
    for view in catalog.views:
        path = data_of(page_of("view", view.name))
        count = len(view.feature_names)
        lines.append(
            f"- [{view.name}]({path}): {count} features. {_line(view.description)}".strip()
        )
    lines += ["", "## Services", ""]
    for service in catalog.manifest.services:
        path = data_of(page_of("service", service.name))
        lines.append(f"- [{service.name}]({path}): {_line(service.description)}".strip())
    return "\n".join(lines) + "\n"


def _line(text: str) -> str:
    """Return a text in one line of Markdown, without links and markup of its own."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(safe(text).split())[:300])
