"""The build's hook: compiles the kernel's loops if there is a C compiler.

Without one the package is installed all the same; NumPy then takes the loops' place.
"""

import os
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = Path("featurestore/engines/kernel/native/loops.c")


class CompileLoops(BuildHookInterface[Any]):
    """Puts the compiled loops beside their source, and into the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before files are gathered, for wheels and for editable installs."""
        root = Path(self.root)
        library = (root / SOURCE).with_name("libloops.so")
        if compiled(root / SOURCE, library):
            build_data["artifacts"].append(f"/{library.relative_to(root).as_posix()}")
            build_data["pure_python"] = False
            build_data["infer_tag"] = True
        else:
            self.app.display_warning("no C compiler: windows will be answered by NumPy alone")


def compiled(source: Path, library: Path) -> bool:
    """Compile a source into a library, whole or not at all, and return whether that was done."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        return False
    made_of = sha256(source.read_bytes()).hexdigest()
    unfinished = library.with_suffix(f".{os.getpid()}")
    flags = ["-O3", "-std=gnu11", "-ffp-contract=off", "-fPIC", "-shared"]
    asked = [compiler, *flags, f'-DMADE_OF="{made_of}"', source, "-o", unfinished]
    done = subprocess.run(asked, check=False)
    if done.returncode:
        return False
    unfinished.replace(library)
    return True
