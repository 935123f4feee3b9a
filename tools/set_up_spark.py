"""Fetch Delta's jars and make the class-data archive, so that Spark starts without a network."""

import sys

from featurestore.cli.operations.setup import make_archive
from featurestore.engines.spark.session.archive import archive_file, is_whole
from featurestore.engines.spark.session.jars import session_jars
from featurestore.engines.spark.session.java import find_java
from featurestore.errors import SetupError


def main() -> str | None:
    """Return why Spark cannot be set up and what to do, or None if it can start.

    The archive is optional: why there is none is only reported.
    """
    try:
        archive = archive_file(find_java(), session_jars())
    except SetupError as error:
        return f"setup: {error}"
    if not is_whole(archive) and (problem := make_archive(archive)):
        sys.stderr.write(f"setup: Spark works, but starts as slowly as before: {problem}\n")
    return None


if __name__ == "__main__":
    sys.exit(main())
