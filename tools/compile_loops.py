"""The build's hook: compiles the kernel's loops if there is a C compiler.

Without one the package is installed all the same, and NumPy takes the place of the loops. The
loops are plain C, called through ctypes: one wheel fits every Python of a platform. With the
variable FEATURESTORE_PURE set, the wheel has no compiled loops and fits every platform.
"""

import os
import shlex
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PURE = "FEATURESTORE_PURE"
SOURCE = Path("featurestore/engines/kernel/native/loops.c")


class CompileLoops(BuildHookInterface[Any]):
    """Puts the compiled loops beside their source, and into the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before files are gathered, for wheels and for editable installs."""
        if os.environ.get(PURE):
            return
        root = Path(self.root)
        library = (root / SOURCE).with_name("libloops.so")
        if compiled(root / SOURCE, library):
            platform = self.build_config.builder.get_best_matching_tag().rpartition("-")[2]
            build_data["artifacts"].append(f"/{library.relative_to(root).as_posix()}")
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{platform}"
        else:
            self.app.display_warning("no C compiler: NumPy takes the place of the compiled loops")


def compiled(source: Path, library: Path) -> bool:
    """Compile a source into a library, whole or not at all, and return whether that was done."""
    compiler = shlex.split(os.environ.get("CC") or "cc")
    if shutil.which(compiler[0]) is None:
        return False
    made_of = sha256(source.read_bytes()).hexdigest()
    unfinished = library.with_suffix(f".{os.getpid()}")
    flags = ["-O3", "-std=gnu11", "-ffp-contract=off", "-fPIC", "-shared"]
    command = [*compiler, *flags, f'-DMADE_OF="{made_of}"', source, "-o", unfinished]
    if subprocess.run(command, check=False).returncode:
        unfinished.unlink(missing_ok=True)
        return False
    unfinished.replace(library)
    return True
