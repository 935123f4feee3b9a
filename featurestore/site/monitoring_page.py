"""The page on what the checks of views have found."""

from featurestore.site.catalog import Catalog
from featurestore.site.documents.monitoring import SHOWN_CHECKS, monitoring_document
from featurestore.site.impact_pages import ExtraPage

SECTION = "monitoring.html"


def monitoring_page(catalog: Catalog) -> ExtraPage:
    """Return the page Monitoring.

    Args:
        catalog: Everything that the site shows.
    """
    names = {view.name: set(view.feature_names) for view in catalog.manifest.views}
    more = {"section": SECTION, "features": names, "shown": SHOWN_CHECKS}
    return ExtraPage(SECTION, "monitoring", "Monitoring", monitoring_document(catalog), more)
