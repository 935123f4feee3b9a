"""What is built: a wheel for a platform, one for all, and a source distribution."""

import os
import shutil
import sys
import tarfile
from email.parser import Parser
from importlib import metadata
from pathlib import Path
from zipfile import ZipFile

import pytest

import featurestore
from tests.packaging.builds import build, build_wheel, unpack
from tests.packaging.project_copy import ROOT, copy_project

HAS_COMPILER = shutil.which(os.environ.get("CC") or "cc") is not None
needs_compiler = pytest.mark.skipif(not HAS_COMPILER, reason="there is no C compiler")

LIBRARY = next(ROOT.glob("featurestore/**/loops.c")).with_name("libloops.so")
LIBRARY_NAME = LIBRARY.relative_to(ROOT).as_posix()
SOURCE_NAME = LIBRARY.with_name("loops.c").relative_to(ROOT).as_posix()
INFO = f"featurestore-{featurestore.__version__}.dist-info"


def fields(wheel: Path, file: str) -> list[tuple[str, str]]:
    """Return the fields of a wheel's METADATA or WHEEL."""
    with ZipFile(wheel) as archive:
        return Parser().parsestr(archive.read(f"{INFO}/{file}").decode()).items()


def names(wheel: Path) -> set[str]:
    return set(ZipFile(wheel).namelist())


@needs_compiler
def test_a_wheel_with_compiled_loops_fits_each_python_of_its_platform(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path)

    *_, python, abi, platform = wheel.stem.split("-")
    assert (python, abi) == ("py3", "none")
    assert platform.startswith({"linux": "linux_", "darwin": "macosx_"}[sys.platform])
    assert fields(wheel, "WHEEL")[2:] == [
        ("Root-Is-Purelib", "false"),
        ("Tag", f"py3-none-{platform}"),
    ]
    assert {LIBRARY_NAME, SOURCE_NAME} <= names(wheel)


@pytest.mark.parametrize(
    "variables", [{"FEATURESTORE_PURE": "1"}, {"CC": "/nowhere/cc"}, {"CC": "false"}]
)
def test_a_wheel_without_compiled_loops_fits_each_platform(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    project = copy_project(tmp_path / "project")
    # As in a clone that was set up: a library lies beside its source.
    (project / LIBRARY_NAME).write_bytes(b"built earlier")

    wheel = build("wheel", project, tmp_path / "dist", **variables)

    assert wheel.name == f"featurestore-{featurestore.__version__}-py3-none-any.whl"
    assert SOURCE_NAME in names(wheel)
    assert [name for name in names(wheel) if name.endswith(".so")] == []


def test_a_source_distribution_has_no_library_and_builds_into_the_same_wheel(
    tmp_path: Path,
) -> None:
    project = copy_project(tmp_path / "project")
    (project / LIBRARY_NAME).write_bytes(b"built earlier")

    sdist = build("sdist", project, tmp_path / "sdist")
    rebuilt = build("wheel", unpack(sdist, tmp_path / "unpacked"), tmp_path / "rebuilt")

    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "pyproject.toml", "PKG-INFO", SOURCE_NAME} <= inside
    assert [name for name in inside if name.endswith(".so")] == []
    direct = build("wheel", project, tmp_path / "direct")
    assert rebuilt.name == direct.name
    assert names(rebuilt) == names(direct)


def test_a_wheel_has_the_licence_the_version_and_the_types(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path, FEATURESTORE_PURE="1")

    described = dict(fields(wheel, "METADATA"))
    assert described["Version"] == featurestore.__version__
    assert described["License-Expression"] == "Apache-2.0"
    assert described["License-File"] == "LICENSE"
    assert {f"{INFO}/licenses/LICENSE", "featurestore/py.typed"} <= names(wheel)
    assert {name.partition("/")[0] for name in names(wheel)} == {"featurestore", INFO}


def test_the_installed_version_is_the_source_s() -> None:
    assert metadata.version("featurestore") == featurestore.__version__, "Run `make setup`."
