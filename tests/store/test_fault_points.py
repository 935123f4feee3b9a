"""Fault points fail where they are armed, and only there."""

import ast
import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from featurestore.errors import RequestError
from featurestore.store.fault_points import (
    FAULT_POINTS,
    VARIABLE,
    Fault,
    InjectedError,
    armed_faults,
    fault_point,
)

PACKAGE = Path(__file__).parents[2] / "featurestore"


def points_in(source: str) -> Iterator[str]:
    """The names of the fault points in a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "fault_point":
            yield ast.literal_eval(node.args[0])


def test_the_list_of_fault_points_is_that_of_the_code() -> None:
    modules = sorted(PACKAGE.rglob("*.py"))

    assert {name for path in modules for name in points_in(path.read_text())} == set(FAULT_POINTS)
    assert len(set(FAULT_POINTS)) == len(FAULT_POINTS)


def test_the_page_of_the_architecture_describes_each_fault_point() -> None:
    page = (PACKAGE.parent / "docs" / "architecture.md").read_text()

    assert [name for name in FAULT_POINTS if f"| `{name}` |" not in page] == []


def test_an_unarmed_fault_point_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)

    for name in FAULT_POINTS:
        fault_point(name, "spending")


def test_a_fault_hits_its_view_and_its_pass_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "spending/data.committed=raise@2")

    fault_point("data.committed", "spending")
    fault_point("data.committed", "activity")
    fault_point("rows.computed", "spending")
    with pytest.raises(InjectedError):
        fault_point("data.committed", "spending")
    fault_point("data.committed", "spending")


def test_passes_are_counted_anew_after_a_disarmed_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        monkeypatch.setenv(VARIABLE, "source.read=enospc")
        with pytest.raises(OSError, match="No space left") as raised:
            fault_point("source.read", "spending")
        assert raised.value.errno == errno.ENOSPC
        monkeypatch.delenv(VARIABLE)
        fault_point("source.read", "spending")


def test_faults_are_read_from_one_text() -> None:
    assert armed_faults("lock.acquired=sleep:0.5, v/source.read=kill@3") == (
        Fault("lock.acquired", action="sleep", seconds=0.5),
        Fault("source.read", action="kill", view="v", nth=3),
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("data.comitted=raise", "'data.comitted' is unknown"),
        ("data.committed=rise", "'rise' is unknown"),
        ("data.committed", "'' is unknown"),
        ("data.committed=raise@twice", "invalid literal for int() with base 10: 'twice'"),
        ("data.committed=sleep:long", "could not convert string to float: 'long'"),
    ],
)
def test_a_fault_that_does_not_exist_is_an_error(
    text: str, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, text)

    with pytest.raises(RequestError) as raised:
        fault_point("source.read", "spending")

    assert (raised.value.call, raised.value.found) == (f"{VARIABLE}={text}", found)
    assert raised.value.fix


def test_a_killed_process_says_first_at_which_point() -> None:
    code = "from featurestore.store.fault_points import fault_point as p; p('source.read', 'v')"
    process = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {VARIABLE: "source.read=kill"},
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
    )

    assert process.returncode == -signal.SIGKILL
    assert process.stderr == "fault: kill at source.read of view v\n"
