"""Install Debian packages, as root or by a sudo that asks for no password."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence


def install(packages: Sequence[str], why: str) -> None:
    """Install the first of the packages that there is; without apt nothing is done.

    Args:
        packages: The names of packages that serve equally well, the best first.
        why: What the user reads before it starts.
    """
    if shutil.which("apt-get") is None:
        return
    sys.stderr.write(f"setup: {why}\n")
    apt = ["apt-get"] if os.geteuid() == 0 else ["sudo", "-n", "apt-get"]
    if not _runs([*apt, "update", "-qq"]):
        return
    for package in packages:
        if _runs([*apt, "install", "-qq", "-y", "--no-install-recommends", package]):
            return


def _runs(command: Sequence[str]) -> bool:
    """Return whether a command can be run and succeeds."""
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        return (
            subprocess.run(command, env=environ, capture_output=True, check=False).returncode == 0
        )
    except OSError:
        return False
