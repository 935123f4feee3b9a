"""Pages as HTML, by the templates in ``templates/``. All texts of the registry are escaped."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

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
    ("Lineage", "lineage.html"),
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
        )
        self._environment.globals |= {
            "project": safe(catalog.project),
            "version": catalog.version,
            "built_at": moment(catalog.built_at),
            "menu": MENU,
            "known_views": {view.name for view in catalog.views},
            "problems": catalog.problems,
            "page_of": page_of,
            "href_of": href_of,
            "number": number,
        }

    def page(self, path: str, template: str, data: Document, **more: Any) -> str:
        """Return a page.

        Args:
            path: The page's path below the site's folder.
            template: The name of its template, without suffix.
            data: The data that its JSON has too.
            more: What the template needs else: ``title``, and drawings as SVG.
        """
        values = {
            "root": "../" * path.count("/"),
            "data_page": data_of(path),
            "section": more.pop("section", path),
            "data": data,
            **more,
        }
        return self._environment.get_template(f"{template}.html").render(values)


def drawing(svg: str) -> Markup:
    """Return a drawing of ours as markup; its texts are escaped where it is made."""
    return Markup(svg)  # nosec B704


def number(value: int | None) -> str:
    """Return a count with narrow spaces between thousands; a dash for None.

    Example:
        >>> number(1234567).split(), number(None)
        (['1', '234', '567'], '-')
    """
    return "-" if value is None else f"{value:,}".replace(",", "\u202f")
