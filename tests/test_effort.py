"""Which examples Hypothesis draws: in CI the same, whatever else the project says."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
DRAW = """
import sys
from hypothesis import given
from hypothesis import strategies as st
import tests.conftest
sys.path.insert(0, sys.argv[1])
import literals

@given(st.integers(0, 10**12) | st.text())
def draw(drawn):
    print(ascii(drawn))

draw()
"""


def test_literals_of_the_project_change_nothing_that_ci_draws(tmp_path: Path) -> None:
    plain = draw(tmp_path / "plain", "")

    assert len(plain.splitlines()) == 100
    assert draw(tmp_path / "other", "A, B = 7_777_777_777, 'a literal'") == plain


def draw(folder: Path, literals: str) -> str:
    """Return what the `ci` profile draws where a module with these literals is loaded."""
    folder.mkdir()
    (folder / "literals.py").write_text(literals)
    done = subprocess.run(
        [sys.executable, "-c", DRAW, folder],
        env={**os.environ, "PYTHONPATH": str(ROOT), "HYPOTHESIS_PROFILE": "ci"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
