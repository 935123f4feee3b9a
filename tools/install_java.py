"""Find the Java that Spark needs, or install a headless one through apt where that is possible.

Needs the standard library only, so that a missing Java is reported before anything is fetched.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from featurestore.engines.spark.session.java import find_java
from featurestore.errors import SetupError
from tools.apt import install

# In this order: Spark 4.2 is tested with 17 here; newer systems have only newer ones.
PACKAGES = ("openjdk-17-jre-headless", "openjdk-21-jre-headless")


def main() -> str | None:
    """Return why there is no Java and how to install it, or None if there is one."""
    try:
        find_java()
    except SetupError:
        install(PACKAGES, "no Java for Spark was found; installing one through apt")
    try:
        find_java()
    except SetupError as error:
        return f"setup: {error}"
    return None


if __name__ == "__main__":
    sys.exit(main())
