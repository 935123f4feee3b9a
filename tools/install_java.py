"""Find the Java that Spark needs, or install a headless one through apt where that is possible.

Needs the standard library only, so that a missing Java is reported before anything is fetched.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from featurestore.engines.spark.session.java import find_java
from featurestore.errors import SetupError

# In this order: Spark 4.2 is tested with 17 here; newer systems have only newer ones.
PACKAGES = ("openjdk-17-jre-headless", "openjdk-21-jre-headless")


def main() -> str | None:
    """Return why there is no Java and how to install it, or None if there is one."""
    try:
        find_java()
    except SetupError:
        install_java()
    try:
        find_java()
    except SetupError as error:
        return f"setup: {error}"
    return None


def install_java() -> None:
    """Install Java through apt, as root or by a sudo that asks for no password."""
    if shutil.which("apt-get") is None:
        return
    sys.stderr.write("setup: no Java for Spark was found; installing one through apt\n")
    apt = ["apt-get"] if os.geteuid() == 0 else ["sudo", "-n", "apt-get"]
    if not runs([*apt, "update", "-qq"]):
        return
    for package in PACKAGES:
        if runs([*apt, "install", "-qq", "-y", "--no-install-recommends", package]):
            return


def runs(command: list[str]) -> bool:
    """Return whether a command can be run and succeeds."""
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        return (
            subprocess.run(command, env=environ, capture_output=True, check=False).returncode == 0
        )
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
