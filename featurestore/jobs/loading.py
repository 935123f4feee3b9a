"""The definitions of a project, checked against all rules, those that need libraries too."""

from collections.abc import Iterable

from featurestore.definitions.loading.loader import load
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.rules import Rule
from featurestore.engines.on_demand.sql_rules import sql_issues
from featurestore.jobs.schedule.cron import schedule_issues
from featurestore.quality.rules import expectation_issues
from featurestore.settings import Settings

_RULES = (sql_issues, schedule_issues, expectation_issues)


def load_definitions(settings: Settings, further_checks: Iterable[Rule] = ()) -> Manifest:
    """Return the definitions in a project's definitions folder.

    Args:
        settings: The project.
        further_checks: Checks that refuse nothing, called if the definitions have problems; see
            `load`.

    Raises:
        DefinitionError: A file cannot be imported, or definitions break rules; each is listed.
    """
    return load(
        settings.definitions_folder,
        project=settings.folder,
        rules=_RULES,
        further_checks=further_checks,
    )
