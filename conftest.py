"""Runs what the documents show: README.md, docs/ and every docstring's example."""

import os
import tempfile
from doctest import ELLIPSIS
from pathlib import Path
from typing import Any

from sybil import Sybil
from sybil.document import PythonDocStringDocument
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser
from sybil.parsers.rest import DocTestParser

ROOT = Path(__file__).parent


def enter_empty_folder(namespace: dict[str, Any]) -> None:
    """Let a page's examples write where they litter nothing."""
    namespace["_before"] = Path.cwd()
    namespace["_folder"] = tempfile.TemporaryDirectory()
    os.chdir(namespace["_folder"].name)


def leave_folder(namespace: dict[str, Any]) -> None:
    """Go back and remove what a page's examples wrote."""
    os.chdir(namespace["_before"])
    namespace["_folder"].cleanup()


pages = Sybil(
    path=str(ROOT),
    patterns=["README.md", "docs/*.md", "docs/**/*.md"],
    excludes=["docs/tutorial.md"],  # tests/test_tutorial.py types it, in a project
    parsers=[PythonCodeBlockParser(doctest_optionflags=ELLIPSIS), SkipParser()],
    setup=enter_empty_folder,
    teardown=leave_folder,
)
docstrings = Sybil(
    path=str(ROOT / "featurestore"),
    # At any depth. In Python below 3.13, "**" would match one folder only.
    pattern="*.py",
    parsers=[DocTestParser(optionflags=ELLIPSIS)],
    document_types={".py": PythonDocStringDocument},
)
pytest_collect_file = (pages + docstrings).pytest()
