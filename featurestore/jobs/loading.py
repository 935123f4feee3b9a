"""The definitions of a project, checked against all rules, those that need libraries too."""

from featurestore.definitions.loading.loader import load
from featurestore.definitions.model.manifest import Manifest
from featurestore.engines.on_demand.sql_rules import sql_issues
from featurestore.jobs.schedule.cron import schedule_issues
from featurestore.quality.rules import expectation_issues
from featurestore.settings import Settings

_RULES = (sql_issues, schedule_issues, expectation_issues)


def load_definitions(settings: Settings) -> Manifest:
    """Return the definitions in a project's definitions folder.

    Args:
        settings: The project.

    Raises:
        DefinitionError: A file cannot be imported, or definitions break rules; each is listed.
    """
    return load(settings.definitions_folder, project=settings.folder, rules=_RULES)
