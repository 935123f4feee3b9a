"""One S3 server for all tests of this folder, and the environment in which programs find it."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.object_store.s3_server import BUCKET, S3Server, s3_server


@pytest.fixture(scope="session")
def running_s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server(tmp_path_factory.mktemp("s3") / "server.log") as server:
        yield server


@pytest.fixture
def s3(running_s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """The server; programs of this test find it."""
    for name, value in running_s3.environ.items():
        monkeypatch.setenv(name, value)
    return running_s3


@pytest.fixture
def root(s3: S3Server) -> str:
    """An address in the server's bucket that no other test uses."""
    return f"s3://{BUCKET}/{uuid4().hex[:8]}"
