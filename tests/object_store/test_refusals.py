"""What an object store refuses is said in one line, with the variable to set, by each verb."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.client.shop import DEFINITIONS
from tests.object_store.s3_server import ACCESS_KEY, BUCKET, SECRET_KEY, S3Server, s3_server

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
VERBS = ("plan", "status", "doctor", "maintain")
# Nothing answers at this port: requests for the role of the machine fail at once.
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    log = tmp_path_factory.mktemp("s3") / "server.log"
    with s3_server(log, refuses_keys=True) as server:
        yield server


@pytest.fixture(params=VERBS)
def verb(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def refusal(folder: Path, verb: str, bucket: str, variables: Mapping[str, str]) -> str:
    """Return what a verb prints on stderr, which must be one error without raw texts."""
    (folder / "featurestore.toml").write_text(f'project = "shop"\nroot = "s3://{bucket}/x"\n')
    (folder / "feature_defs").mkdir()
    (folder / "feature_defs" / "shop.py").write_text(DEFINITIONS)
    inherited = {name: each for name, each in os.environ.items() if not name.startswith("AWS_")}
    ran = subprocess.run(
        [sys.executable, "-m", "tests.object_store.verb", verb, "-p", str(folder)],
        cwd=ROOT,
        env=inherited | {"COLUMNS": "1000"} | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    said = ran.stderr.strip()
    assert ran.returncode == 1, (ran.stdout, said)
    assert len(said.splitlines()) == 1, said
    noise = ("<", "Generic", "Debug", "aws_config", "retries", "its disk", ACCESS_KEY, SECRET_KEY)
    assert not [each for each in noise if each in ran.stdout + said]
    return said


def without(server: S3Server, *names: str) -> dict[str, str]:
    return {name: value for name, value in server.environ.items() if name not in names}


def test_no_credentials(tmp_path: Path, verb: str) -> None:
    variables = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": NOWHERE, "AWS_METADATA_ENDPOINT": NOWHERE}

    assert "AWS_ACCESS_KEY_ID" in refusal(tmp_path, verb, BUCKET, variables)


def test_no_credentials_for_a_server_that_is_named(
    running_s3: S3Server, tmp_path: Path, verb: str
) -> None:
    variables = without(running_s3, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    nowhere = {"AWS_METADATA_ENDPOINT": NOWHERE}

    assert "AWS_ACCESS_KEY_ID" in refusal(tmp_path, verb, BUCKET, variables | nowhere)


def test_wrong_credentials(closed: S3Server, tmp_path: Path, verb: str) -> None:
    said = refusal(tmp_path, verb, BUCKET, closed.environ)

    assert "AWS_ACCESS_KEY_ID" in said
    assert f"s3://{BUCKET}/x" in said


def test_no_such_bucket(running_s3: S3Server, tmp_path: Path, verb: str) -> None:
    assert "'no-such-bucket'" in refusal(tmp_path, verb, "no-such-bucket", running_s3.environ)


def test_http_that_is_not_allowed(running_s3: S3Server, tmp_path: Path, verb: str) -> None:
    variables = without(running_s3, "AWS_ALLOW_HTTP")

    assert "AWS_ALLOW_HTTP=true" in refusal(tmp_path, verb, BUCKET, variables)


def test_a_server_that_is_down(running_s3: S3Server, tmp_path: Path, verb: str) -> None:
    variables = running_s3.environ | {"AWS_ENDPOINT_URL": NOWHERE, "max_retries": "0"}

    assert "AWS_ENDPOINT_URL" in refusal(tmp_path, verb, BUCKET, variables)
