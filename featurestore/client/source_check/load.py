"""Load definitions for people who write them: their problems together with those of the data."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial

from featurestore.client.source_check.check import source_issues
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.rules import Issue
from featurestore.errors import FeatureStoreError
from featurestore.jobs.loading import load_definitions
from featurestore.settings import Settings
from featurestore.store.layout import Layout


def load_with_sources(settings: Settings, layout: Layout) -> Manifest:
    """Return the definitions of a project; `source_issues` says what is wrong with its sources.

    Args:
        settings: The project.
        layout: The addresses of the tables and sources.

    Raises:
        DefinitionError: A file cannot be imported, or definitions break rules. Each problem is
            listed, with the problems of the sources of views that have none themselves.
    """
    return load_definitions(settings, [partial(_read_sources, layout=layout)])


def _read_sources(sound: Manifest, layout: Layout) -> Iterator[Issue]:
    """Yield problems of sources that a view without problems reads.

    Who reads another source is not known, and so neither is which of its columns must be there.
    """
    read = [view.source for view in sound.views]
    sources = tuple(source for source in sound.sources if source in read)
    with suppress(FeatureStoreError):  # a damaged ledger: a plan of right definitions names it
        yield from source_issues(replace(sound, sources=sources), layout)
