"""The log of a process has no value of a referenced environment variable, and all of its lines."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from featurestore import credentials
from featurestore.engines.spark.session.log import redacted_log

CANARY = "CANARY-c41f-secret"
END = b"no end of line"
PRINTS = """\
import sys
for number in range(int(sys.argv[2])):
    file = sys.stderr if number % 2 else sys.stdout
    print(number, "cannot open", sys.argv[1], file=file, flush=True)
print("no end of line", end="")
"""


@pytest.fixture(autouse=True)
def no_other_value() -> Iterator[None]:
    before = list(credentials._hidden)
    yield
    credentials._hidden[:] = before


def logged(file: Path, text: str, lines: int = 3) -> str:
    ends = file.read_bytes().count(END) + 1 if file.exists() else 1
    with redacted_log(file) as output:
        command = [sys.executable, "-c", PRINTS, text, str(lines)]
        process = subprocess.Popen(command, stdout=output, stderr=output)
    process.wait()
    end = time.monotonic() + 10
    while file.read_bytes().count(END) < ends and time.monotonic() < end:
        time.sleep(0.01)
    return file.read_text("utf-8")


def test_a_resolved_value_and_a_credential_are_hidden(tmp_path: Path) -> None:
    credentials.hide(CANARY, "${env:KEY}")

    text = logged(tmp_path / "log", f"s3://bucket/{CANARY} s3://AKIA:{CANARY[::-1]}@b/x")

    assert text.count("${env:KEY}") == 3
    assert CANARY not in text
    assert CANARY[::-1] not in text


def test_a_value_that_is_resolved_later_is_hidden_from_then_on(tmp_path: Path) -> None:
    file = tmp_path / "log"

    before = logged(file, CANARY)
    credentials.hide(CANARY, "${env:KEY}")
    after = logged(file, CANARY).removeprefix(before)

    assert before.count(CANARY) == 3
    assert after.count("${env:KEY}") == 3
    assert CANARY not in after


def test_all_lines_are_there_in_their_order(tmp_path: Path) -> None:
    lines = logged(tmp_path / "log", "x", lines=5_000).splitlines()

    assert [line.split()[0] for line in lines[:-1]] == [str(number) for number in range(5_000)]


def test_a_large_file_is_emptied(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"x" * 6_000_000)

    assert len(logged(tmp_path / "log", "x")) < 1_000


def test_a_process_that_ends_at_once_leaves_its_reason(tmp_path: Path) -> None:
    file = tmp_path / "log"

    with pytest.raises(RuntimeError), redacted_log(file) as output:
        subprocess.run([sys.executable, "-c", "print('no memory')"], stdout=output, check=True)
        output.close()
        raise RuntimeError

    assert file.read_text("utf-8") == "no memory\n"
