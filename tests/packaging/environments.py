"""Clean environments for the built wheel, made by uv with packages from the user's index."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

UV = Path(sys.executable).with_name("uv")
# Nothing of this .venv or of its settings may reach what a user would have.
HIDDEN = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "FEATURESTORE_CACHE")


@dataclass(frozen=True)
class Environment:
    """An environment of its own.

    Args:
        folder: Its folder.
        variables: What its programs see on top of this process's variables.
    """

    folder: Path
    variables: dict[str, str]

    def run(
        self, program: str, *arguments: str | Path, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one of the environment's programs, and return its end, output and errors."""
        environ = {name: value for name, value in os.environ.items() if name not in HIDDEN}
        environ["PATH"] = f"{self.folder / 'bin'}{os.pathsep}{environ['PATH']}"
        return subprocess.run(
            [self.folder / "bin" / program, *arguments],
            cwd=cwd or self.folder, env={**environ, **self.variables},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def output(self, program: str, *arguments: str | Path, cwd: Path | None = None) -> str:
        """Run a program that succeeds, and return its output."""
        done = self.run(program, *arguments, cwd=cwd)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def packages(self) -> set[str]:
        """Return the names of what is installed."""
        program = (
            "from importlib.metadata import distributions as found\n"
            "for package in found(): print(package.metadata['Name'].lower())"
        )
        return set(self.output("python", "-c", program).split())


def make_environment(
    folder: Path, python: Path, *install: str, variables: dict[str, str] | None = None
) -> Environment:
    """Make an environment, and install into it.

    Args:
        folder: Where.
        python: The interpreter.
        install: The arguments of `uv pip install`.
        variables: What its programs are to see.
    """
    uv("venv", "-q", "--no-project", "--python", str(python), str(folder))
    uv("pip", "install", "-q", "--python", str(folder), *install)
    return Environment(folder, variables or {})


def uv(*arguments: str) -> None:
    done = subprocess.run([UV, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
