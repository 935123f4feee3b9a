"""Pages as HTML, by the templates in ``templates/``. All texts of the registry are escaped."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from featurestore.monitoring import distinct
from featurestore.site.addresses import data_of, page_of
from featurestore.site.catalog import Catalog
from featurestore.site.documents.parts import Document, moment, safe
from featurestore.site.links import href_of

_FOLDER = Path(__file__).parent / "templates"
MENU = (
    ("Overview", "index.html"),
    ("Views", "views.html"),
    ("Features", "features.html"),
    ("Entities", "entities.html"),
    ("Sources", "sources.html"),
    ("Services", "services.html"),
    ("Training sets", "training-sets.html"),
    ("Models", "models.html"),
    ("Lineage", "lineage.html"),
    ("Impact", "impact.html"),
    ("Monitoring", "monitoring.html"),
    ("Runs", "runs.html"),
    ("History", "history.html"),
    ("Search", "search.html"),
)


class Renderer:
    """Renders the pages of one site.

    Args:
        catalog: Everything that the site shows.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_FOLDER, "utf-8"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,  # PERF: no look at the templates' files for each page
        )
        self._menus: dict[tuple[str, str], Markup] = {}
        self._environment.globals |= {
            "project": safe(catalog.project),
            "version": catalog.version,
            "built_at": moment(catalog.built_at),
            "known_training_sets": set(catalog.training_sets),
            "known_views": {view.name for view in catalog.views},
            "problems": catalog.problems,
            "estimated_from": distinct.SIZE,
            "page_of": page_of,
            "href_of": href_of,
            "number": number,
            "share": share,
        }

    def page(self, path: str, template: str, data: Document, **more: Any) -> str:
        """Return a page.

        Args:
            path: The page's path below the site's folder.
            template: The name of its template, without suffix.
            data: The data that its JSON has too.
            more: What the template needs else: ``title``, and drawings as SVG.
        """
        root, section = "../" * path.count("/"), more.pop("section", path)
        values = {
            "root": root,
            "menu": self._menu(root, section),
            "data_page": data_of(path),
            "section": section,
            "data": data,
            **more,
        }
        return self._environment.get_template(f"{template}.html").render(values)

    def _menu(self, root: str, section: str) -> Markup:
        """Return the links to the sections, with the one that a page belongs to marked."""
        # PERF: it was half of the work of a feature's page, and many pages have the same one.
        if (root, section) not in self._menus:
            values = {"root": root, "section": section, "menu": MENU}
            text = self._environment.get_template("menu.html").render(values)
            self._menus[root, section] = markup(text)
        return self._menus[root, section]

    def rows(self, kind: str, rows: list[Document]) -> str:
        """Return rows of a list as HTML.

        Args:
            kind: The kind of definition.
            rows: The data of each row.
        """
        values = {"root": "", "kind": kind, "rows": rows}
        return self._environment.get_template("rows.html").render(values)


def markup(svg: str) -> Markup:
    """Return a drawing, or rows of ours, as markup; texts are escaped where it is made."""
    return Markup(svg)  # nosec B704


def number(value: int | None) -> str:
    """Return a count with commas between thousands; a dash for None.

    Example:
        >>> number(1234567), number(None)
        ('1,234,567', '-')
    """
    return "-" if value is None else f"{value:,}"


def share(value: float | None) -> str:
    """Return a share in percent with up to one decimal; a dash for None.

    Example:
        >>> share(0.5), share(0.1234), share(0.0001), share(None)
        ('50 %', '12.3 %', 'under 0.1 %', '-')
    """
    if value is None:
        return "-"
    percent = f"{100 * value:.1f}".removesuffix(".0")
    return "under 0.1 %" if percent == "0" and value else f"{percent} %"
