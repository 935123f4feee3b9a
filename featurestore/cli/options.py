"""The options that verbs share, and the store that they open.

Verbs import what needs Arrow and Delta (0.4 s) when they run, so that ``--help`` is quick.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from featurestore.client.feature_store import FeatureStore

Project = Annotated[
    Path, typer.Option("--project", "-p", help="The project's folder.", show_default="here")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON to stdout.")]


def open_store(project: Path) -> "FeatureStore":
    """Return the store of the project in a folder.

    Raises:
        ProjectError: The folder is no project.
    """
    from featurestore.client.feature_store import FeatureStore

    return FeatureStore(project)
