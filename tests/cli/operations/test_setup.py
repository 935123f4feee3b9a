"""`featurestore setup` with Java: the archive is made once, used by sessions, and removed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from featurestore.engines.spark.session.jars import CACHE_VARIABLE, delta_jars

PROGRAM = str(Path(sys.executable).with_name("featurestore"))
SESSION = """
import pathlib, sys
from featurestore.engines.spark.session.session import session
spark = session(warehouse=pathlib.Path(sys.argv[1]))
spark.range(3).write.format("delta").save(sys.argv[1] + "/table")
print(spark.conf.get("spark.driver.extraJavaOptions", ""))
"""


def call(cache: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {CACHE_VARIABLE: str(cache)}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=600
    )


@pytest.mark.spark
@pytest.mark.slow
def test_the_archive_is_made_once_used_and_removed(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "jars").symlink_to(delta_jars()[0].parents[1])

    made = call(cache, PROGRAM, "setup")
    (archive,) = (cache / "classes").glob("*.jsa")
    again = call(cache, PROGRAM, "setup")
    used = call(cache, sys.executable, "-c", SESSION, str(tmp_path / "spark"))
    removed = call(cache, PROGRAM, "setup", "--remove")

    assert (made.returncode, again.returncode, removed.returncode) == (0, 0, 0)
    assert f"-XX:SharedArchiveFile={archive}" in used.stdout
    assert used.returncode == 0
    assert not archive.exists()
    assert "ready: made" in made.stderr
    assert "ready: made" not in again.stderr


@pytest.mark.spark
def test_without_java_setup_says_what_to_install(tmp_path: Path) -> None:
    done = subprocess.run(
        [PROGRAM, "setup"],
        env={"PATH": "", CACHE_VARIABLE: str(delta_jars()[0].parents[2])},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert done.returncode == 2
    assert "JAVA_HOME" in done.stderr
