"""Find Java, or install a headless one through apt where that can be done; fetch Delta's jars."""

import os
import shutil
import subprocess
import sys

from featurestore.engines.spark.session.jars import delta_jars
from featurestore.engines.spark.session.java import find_java
from featurestore.errors import SetupError

# In this order: Spark 4.2 is tested with 17 here; newer systems have only newer ones.
PACKAGES = ("openjdk-17-jre-headless", "openjdk-21-jre-headless")


def main() -> str | None:
    """Return what is missing and how to install it, or nothing if all is there."""
    try:
        find_java()
    except SetupError:
        install_java()
    try:
        find_java()
        delta_jars()
    except SetupError as error:
        return str(error)
    return None


def install_java() -> None:
    """Install Java through apt, as root or by a sudo that asks for no password."""
    if shutil.which("apt-get") is None:
        return
    apt = ["apt-get"] if os.geteuid() == 0 else ["sudo", "-n", "apt-get"]
    if not runs([*apt, "update", "-qq"]):
        return
    for package in PACKAGES:
        if runs([*apt, "install", "-qq", "-y", "--no-install-recommends", package]):
            return


def runs(command: list[str]) -> bool:
    """Tell whether a command can be run and succeeds."""
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        return (
            subprocess.run(command, env=environ, capture_output=True, check=False).returncode == 0
        )
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
