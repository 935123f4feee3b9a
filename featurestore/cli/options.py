"""The options that several verbs have, and the store that they open.

A verb imports Arrow and Delta (0.4 s) only when it runs, so that ``--help`` is fast.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from featurestore.client.feature_store import FeatureStore

Project = Annotated[
    Path,
    typer.Option("--project", "-p", help="The project's folder.", show_default="current folder"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON to stdout.")]


def open_store(project: Path) -> "FeatureStore":
    """Return the feature store of the project in a folder.

    Raises:
        ProjectError: The folder has no valid ``featurestore.toml``.
    """
    from featurestore.client.feature_store import FeatureStore

    return FeatureStore(project)
