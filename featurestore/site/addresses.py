"""The path of each page below the site's folder. The path of its JSON derives from it."""

from featurestore.site.file_names import file_name

API = "api/v1"
LISTS = {
    "view": "views",
    "feature": "features",
    "entity": "entities",
    "source": "sources",
    "service": "services",
    "training set": "training-sets",
    "model": "models",
}
"""The folder of the pages of each kind that has a list."""
_FOLDERS = LISTS | {
    "impact": "impact",  # of a source, and below it of its columns
    "column": "impact",
}


def page_of(kind: str, name: str, view: str | None = None) -> str:
    """Return the path of a definition's page.

    Args:
        kind: The kind of a definition, ``"training set"``, ``"model"``, ``"column"``, or
            ``"impact"`` for the impact of a source's columns.
        name: The definition's name.
        view: The view of a feature, or the source of a column.

    Example:
        >>> page_of("view", "activity"), page_of("feature", "amount_sum_1h", "activity")
        ('views/activity.html', 'features/activity/amount_sum_1h.html')
    """
    folder = _FOLDERS[kind] if view is None else f"{_FOLDERS[kind]}/{file_name(view)}"
    return f"{folder}/{file_name(name)}.html"


def list_page(kind: str, number: int = 1) -> str:
    """Return the path of one page of a list; the first has no number.

    Example:
        >>> list_page("features"), list_page("features", 2)
        ('features.html', 'features-2.html')
    """
    return f"{kind}.html" if number == 1 else f"{kind}-{number}.html"


def data_of(page: str) -> str:
    """Return the path of a page's JSON.

    Example:
        >>> data_of("views/activity.html")
        'api/v1/views/activity.json'
    """
    return f"{API}/{page.removesuffix('.html')}.json"
