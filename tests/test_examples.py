"""Every example in a docstring is run, however deep its module lies."""

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_examples_of_every_module_are_collected() -> None:
    docstrings = runpy.run_path(str(ROOT / "conftest.py"))["docstrings"]
    modules = (ROOT / "featurestore").rglob("*.py")
    with_examples = [path for path in modules if ">>> " in path.read_text("utf-8")]

    assert len(with_examples) > 100
    assert [path for path in with_examples if not docstrings.should_parse(path)] == []
