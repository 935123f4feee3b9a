"""A forked process reads if nobody read before the fork; else its error says what to do."""

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

CHILD = """
import os, sys, traceback

def in_child():
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)
    try:
        from featurestore.store.delta.cache import Snapshots
        from featurestore.store.delta.snapshot import open_snapshot
        for read in (open_snapshot, open_snapshot, Snapshots().newest):
            try:
                print("rows", read(sys.argv[1]).rows)
            except Exception as error:
                print(type(error).__name__, "spawn" in getattr(error, "fix", ""))
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    os._exit(0)
"""
READ = """
from featurestore.store.delta.snapshot import open_snapshot
open_snapshot(sys.argv[1])
"""


@pytest.mark.parametrize(
    ("before_the_fork", "printed"),
    [
        ("", "rows 2\n" * 3),
        ("import featurestore.store.delta.snapshot", "rows 2\n" * 3),
        (READ, "SetupError True\n" * 3),
        ("from deltalake import DeltaTable; DeltaTable(sys.argv[1])", "SetupError True\n" * 3),
    ],
    ids=["nothing", "imported", "read", "read by other code"],
)
def test_a_forked_process_reads_or_says_what_to_do(
    tmp_path: Path, before_the_fork: str, printed: str
) -> None:
    write_deltalake(str(tmp_path), pa.table({"x": [1, 2]}))
    program = f"{CHILD}\n{before_the_fork}\nin_child()"

    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True
    )

    assert done.stdout == printed, done.stderr


def test_the_parent_still_reads_after_a_fork(tmp_path: Path) -> None:
    write_deltalake(str(tmp_path), pa.table({"x": [1, 2]}))
    program = f"{CHILD}\n{READ}\nin_child()\nprint('parent', open_snapshot(sys.argv[1]).rows)"

    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True
    )

    assert done.stdout.splitlines()[-1] == "parent 2"


LOOK = """
import os, sys
from deltalake import DeltaTable
from featurestore.client.source_check.columns import has_data, table_columns
from featurestore.definitions.model.source import DeltaSource
from featurestore.errors import SetupError
DeltaTable(sys.argv[1])
if os.fork():
    os.wait()
else:
    for look in (has_data, table_columns):
        try:
            look(DeltaSource("rows", path="rows", timestamp_field="at"), sys.argv[1])
        except SetupError as error:
            print("spawn" in error.fix, flush=True)
    os._exit(0)
"""


def test_a_look_at_a_source_in_a_forked_process_says_what_to_do(tmp_path: Path) -> None:
    write_deltalake(str(tmp_path), pa.table({"x": [1, 2]}))

    done = subprocess.run(
        [sys.executable, "-c", LOOK, str(tmp_path)], capture_output=True, text=True
    )

    assert done.stdout == "True\n" * 2, done.stderr
