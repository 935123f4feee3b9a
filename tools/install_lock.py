"""Install exactly the packages of requirements-dev.lock, and this project, into this .venv.

No release that came out after the lock can change what is installed: pip looks up no dependency
(``--no-deps``), takes only files with the lock's hashes, builds with locked tools
(``--no-build-isolation``), and installs this project without an index (``--no-index``).
"""

import ast
import os
import shutil
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

from check_lock import LOCK, ROOT, differences, installed_versions, locked_versions

# Packages that come as source are built with these (pyspark is the only one on usual platforms).
BUILD_TOOLS = ("setuptools",)
# Written at the end: without it, make_venv.sh makes .venv anew.
COMPLETE = Path(sys.prefix) / ".complete"
# The installed project changes with these.
SOURCES = (
    "pyproject.toml",
    "tools/compile_loops.py",
    "featurestore/__init__.py",
    "featurestore/engines/kernel/native/loops.c",
)
LIBRARY = ROOT / "featurestore/engines/kernel/native/libloops.so"
COMPILER = os.environ.get("CC") or "cc"
# The user's settings for reaching an index. Others (user, target, constraint, ...) would change
# what is installed, or where.
INDEX_SETTINGS = frozenset(
    {"index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "cert"}
    | {"client-cert", "proxy", "timeout", "default-timeout", "retries", "cache-dir"}
    | {"no-cache-dir", "keyring-provider"}
)


def main() -> str | None:
    """Return what went wrong and what to do, or None."""
    changed = differences(LOCK)
    if not changed and COMPLETE.is_file() and COMPLETE.read_text("utf-8") == project_state():
        return None
    COMPLETE.unlink(missing_ok=True)
    try:
        environ = pip_environment()
        if changed:
            install_lock(environ)
        install_project(environ)
        pip(environ, "check")
    except subprocess.CalledProcessError as error:
        return failure(error)
    left = differences(LOCK)
    if left:
        return "setup: after the installation .venv differs from the lock: " + "; ".join(left)
    COMPLETE.write_text(project_state(), "utf-8")
    return None


def install_lock(environ: dict[str, str]) -> None:
    """Install what the lock has, and remove what it has not."""
    say(f"installing the packages of {LOCK.name} into .venv")
    exact = ("install", "-q", "--no-deps", "--require-hashes", "--no-build-isolation")
    with tempfile.TemporaryDirectory() as folder:
        tools = Path(folder) / "build-tools.txt"
        tools.write_text(locked_lines(BUILD_TOOLS), "utf-8")
        # Small, and first: without a network this ends soon.
        pip(environ, *exact, "--retries", "1", "-r", str(tools))
    pip(environ, *exact, "-r", str(LOCK))
    additional = sorted(installed_versions().keys() - locked_versions(LOCK).keys())
    if additional:
        say(f"removing {', '.join(additional)} (not in the lock)")
        pip(environ, "uninstall", "-q", "-y", *additional)


def install_project(environ: dict[str, str]) -> None:
    """Install this project so that it runs from its source, and compile the kernel's loops."""
    LIBRARY.unlink(missing_ok=True)
    source = ("install", "-q", "--no-deps", "--no-build-isolation", "--no-index", "-e", str(ROOT))
    pip(environ, *source)
    if not LIBRARY.is_file():
        say(f"the C compiler ({COMPILER}) is missing or failed: NumPy takes the place of")
        say("compiled loops. Answers are the same, up to a fifth slower. If you install a")
        say("compiler, run `make setup` again.")


def project_state() -> str:
    """Return this folder, and what the installed project was made of and with."""
    digest = sha256()
    for name in SOURCES:
        digest.update((ROOT / name).read_bytes())
    compiler = shutil.which(COMPILER.split()[0])
    return f"{ROOT}\n{digest.hexdigest()} {compiler} compiled={LIBRARY.is_file()}\n"


def locked_lines(names: tuple[str, ...]) -> str:
    """Return the lock's lines, hashes included, for these packages."""
    kept, keep = [], False
    for line in LOCK.read_text("utf-8").splitlines():
        if line and line[0] not in " #":
            keep = line.partition("==")[0] in names
        if keep:
            kept.append(line)
    return "\n".join([*kept, ""])


def pip_environment() -> dict[str, str]:
    """Return the environment for pip, with the user's way to an index and no other setting."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    settings: dict[str, str] = {}
    # As in pip: the settings of one command count over the general ones, variables over both.
    for section in ("global.", "install.", ":env:."):
        for line in listed:
            name, _, value = line.removeprefix(section).partition("=")
            if line.startswith(section) and name in INDEX_SETTINGS:
                settings[name] = ast.literal_eval(value)
    variables = {
        f"PIP_{name.upper().replace('-', '_')}": value for name, value in settings.items()
    }
    others = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    fixed = {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    return others | variables | fixed | {"PIP_NO_INPUT": "1"}


def say(text: str) -> None:
    """Print a line for people."""
    sys.stderr.write(f"setup: {text}\n")


def pip(environ: dict[str, str], *arguments: str) -> None:
    """Run pip, and show its output only if it fails."""
    command = [sys.executable, "-m", "pip", *arguments]
    subprocess.run(command, env=environ, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)


def failure(error: subprocess.CalledProcessError) -> str:
    """Return what to do about a run of pip that failed; its errors are on stderr already."""
    return (
        f"{error.stdout or ''}setup: `pip {error.cmd[3]}` failed (see above). The first set-up "
        "needs a network or a mirror.\nName your mirror by PIP_INDEX_URL, or a folder of wheels "
        "by PIP_NO_INDEX=1 and PIP_FIND_LINKS,\nthen run `make setup` again "
        "(docs/installing.md)."
    )


if __name__ == "__main__":
    sys.exit(main())
