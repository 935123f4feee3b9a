"""The command line: the methods of `FeatureStore`, with text for people and JSON for programs."""

from featurestore.cli.main import main

__all__ = ["main"]
