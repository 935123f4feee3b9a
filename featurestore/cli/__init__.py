"""The command line: the verbs of `FeatureStore`; text for people, JSON for programs."""

from featurestore.cli.main import main

__all__ = ["main"]
