"""The compiled loops are used only if they are compiled from their source."""

import os
import shutil
from pathlib import Path

import pytest

from featurestore.engines.kernel.native import loops
from tools.compile_loops import compiled

ROOT = Path(__file__).parents[4]
HAS_COMPILER = shutil.which(os.environ.get("CC", "cc")) is not None
needs_compiler = pytest.mark.skipif(not HAS_COMPILER, reason="there is no C compiler")


@needs_compiler
def test_the_loops_in_use_are_those_of_the_source() -> None:
    assert loops.compiled() is not None, "Run `make setup`: it compiles the kernel's loops."


@needs_compiler
def test_loops_of_another_source_are_not_used(tmp_path, monkeypatch) -> None:
    source, library = tmp_path / "loops.c", tmp_path / "libloops.so"
    source.write_text(loops.SOURCE.read_text("utf-8") + "/* changed */\n", "utf-8")
    assert compiled(source, library)

    monkeypatch.setattr(loops, "LIBRARY", library)
    assert loops.compiled.__wrapped__() is None

    monkeypatch.setattr(loops, "SOURCE", source)
    assert loops.compiled.__wrapped__() is not None


def test_without_a_library_there_are_no_loops(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(loops, "LIBRARY", tmp_path / "libloops.so")

    assert loops.compiled.__wrapped__() is None


@pytest.mark.parametrize("compiler", ["no_such_compiler", "false"])
def test_without_a_working_compiler_no_library_is_made(tmp_path, monkeypatch, compiler) -> None:
    monkeypatch.setenv("CC", compiler)

    assert not compiled(loops.SOURCE, tmp_path / "libloops.so")
    assert list(tmp_path.iterdir()) == []
