"""The tutorial's commands and code, typed one after another."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.test_pages import ROOT, commands, run_command, run_python

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PAGE = "docs/tutorial.md"
STEP = re.compile(r"(?:Write this to `([\w/.]+)`:\n\n)?^```(shell|python)\n(.*?)^```", re.M | re.S)
LEAKS = "featurestore verify returns_v1 --spine spine.csv --leakage"


@pytest.mark.slow
def test_the_tutorial_leads_to_a_model(
    spark: "SparkSession",
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    codes: dict[str, int] = {}

    for file, kind, text in STEP.findall((ROOT / PAGE).read_text("utf-8")):
        if file:
            Path(file).write_text(text, "utf-8")
        elif kind == "python":
            run_python(text, PAGE, names)
        else:
            codes |= {" ".join(words): run_command(words) for words in commands(text)}

    assert {command for command, code in codes.items() if code} == {LEAKS}
    printed = capsys.readouterr().out
    assert "accuracy with 8 features" in printed
    assert Path("site/index.html").is_file()
