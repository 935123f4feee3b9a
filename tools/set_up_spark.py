"""Fetch Delta's jars once, so that later runs need no network."""

import sys

from featurestore.engines.spark.session.jars import delta_jars
from featurestore.errors import SetupError


def main() -> str | None:
    """Return why the jars cannot be fetched and what to do, or None if they are there."""
    try:
        delta_jars()
    except SetupError as error:
        return f"setup: {error}"
    return None


if __name__ == "__main__":
    sys.exit(main())
