"""What the operating system refuses is an error with its path, and no bug of featurestore."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("featurestore")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize("verb", [("status",), ("status", "--json"), ("history",), ("plan",)])
def test_a_full_disk_below_stdout(filled, verb):
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [PROGRAM, *verb, "-p", filled.settings.folder],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip

    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert os.strerror(28) in ended.stderr


def test_a_folder_as_the_output_file(run, filled, tmp_path):
    (tmp_path / "rows.csv.partial").mkdir()

    code, _, err = run(
        "latest", "fraud", "id=1", "-p", filled.settings.folder, "--out", tmp_path / "rows.csv"
    )

    assert code == 1
    assert "rows.csv" in err.replace("\n", "")
    assert "Traceback" not in err


def test_a_terminal_that_does_not_know_a_letter(filled):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    ended = subprocess.run(
        [PROGRAM, "latest", "profile", "id=5", "-p", filled.settings.folder],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip

    assert ended.returncode == 0
    assert r"city             \xb7" in ended.stdout
