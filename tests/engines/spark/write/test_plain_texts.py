"""Tables that Spark writes have texts that every reader knows, through Spark Connect too."""

import ast
from pathlib import Path

import pytest

import featurestore

SPARK = Path(featurestore.__file__).parent / "engines" / "spark"
# Their rows are `stored_rows`, which are plain, or copies of stored rows.
PLAIN = {"batch", "batch_rows", "checks", "quarantine", "release", "repair"}
WRITERS = sorted(
    module
    for folder in ("latest", "retrieve", "write")
    for module in (SPARK / folder).rglob("*.py")
    if any(
        isinstance(node, ast.Attribute) and ast.unparse(node.value).endswith(".write")
        for node in ast.walk(ast.parse(module.read_text("utf-8")))
    )
    and module.stem not in PLAIN
)


@pytest.mark.parametrize("module", WRITERS, ids=lambda module: module.stem)
def test_a_module_that_writes_results_of_python_functions_makes_their_texts_plain(module):
    calls = {
        node.func.id
        for node in ast.walk(ast.parse(module.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }

    assert "plain_texts" in calls


def test_the_results_of_python_functions_are_written_by_the_latest_table_and_by_retrievals():
    assert [module.stem for module in WRITERS] == ["result", "latest"]
