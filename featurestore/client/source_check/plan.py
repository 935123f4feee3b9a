"""The plan of a project: the changes of the definitions, with what its data says about them."""

from dataclasses import replace

from featurestore.client.source_check.check import source_issues
from featurestore.client.source_check.gone_files import gone_files
from featurestore.definitions.model.manifest import Manifest
from featurestore.registry.plan import Plan, plan
from featurestore.registry.version import RegistryVersion
from featurestore.store.earlier_tables import earlier_tables
from featurestore.store.layout import Layout


def project_plan(current: RegistryVersion | None, declared: Manifest, layout: Layout) -> Plan:
    """Return what `apply` would change, with problems of the sources and tables to take up.

    Args:
        current: The registry's latest version; None if nothing is applied.
        declared: The declared definitions.
        layout: The addresses of the tables and sources.

    Example:
        >>> project_plan(None, Manifest(), Layout("no/such/store")).is_empty
        True
    """
    made = plan(current, declared)
    gone = gone_files(declared, layout, made.builds)
    return replace(
        made,
        source_issues=(*source_issues(declared, layout), *gone),
        taken_up=tuple(earlier_tables(declared, layout, made.builds)),
    )
