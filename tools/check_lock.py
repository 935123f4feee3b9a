"""Check that this Python has exactly the packages of requirements-dev.lock.

Run it by ``.venv/bin/python tools/check_lock.py``; only pip and the standard library are needed.
"""

import sys
from importlib import metadata
from pathlib import Path

# pip's own copies: a new .venv has no other packages.
from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name
from pip._vendor.packaging.version import Version

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements-dev.lock"
PROJECT = "featurestore"


def main() -> str | None:
    """Return the differences as one message, or None if there are none."""
    found = differences(LOCK)
    if not found:
        return None
    shown = "".join(f"\n  {line}" for line in found)
    return f"setup: .venv differs from {LOCK.name}:{shown}\nRun `make setup`: it mends them."


def differences(lock: Path) -> list[str]:
    """Return one line for each package that is missing, additional, or of another version."""
    wanted, present = locked_versions(lock), installed_versions()
    lines = []
    for name in sorted(wanted.keys() | present.keys()):
        if name not in present:
            lines.append(f"{name}: {wanted[name]} is missing")
        elif name not in wanted:
            lines.append(f"{name}: {present[name]} is not in the lock")
        elif present[name] != wanted[name]:
            lines.append(f"{name}: {present[name]} instead of {wanted[name]}")
    return lines


def locked_versions(lock: Path) -> dict[str, Version]:
    """Return the version of each package that the lock has for this Python and platform."""
    versions = {}
    for line in lock.read_text("utf-8").splitlines():
        if not line or line[0] in " #":
            continue
        requirement = Requirement(line.removesuffix("\\"))
        if requirement.marker is None or requirement.marker.evaluate():
            (pin,) = requirement.specifier
            versions[canonicalize_name(requirement.name)] = Version(pin.version)
    return versions


def installed_versions() -> dict[str, Version]:
    """Return the version of each installed package but this project."""
    versions = {
        canonicalize_name(package.metadata["Name"]): Version(package.version)
        for package in metadata.distributions()
    }
    versions.pop(PROJECT, None)
    return versions


if __name__ == "__main__":
    sys.exit(main())
