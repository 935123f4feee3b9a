"""The program, run in this process, and the client's shop for it to read."""

import pytest

from featurestore.cli import main
from tests.client.conftest import filled, session, store

__all__ = ["filled", "run", "session", "store"]


@pytest.fixture
def run(capsys):
    """Run the program in this process: (exit code, stdout, stderr)."""

    def call(*args: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(arg) for arg in args])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call
