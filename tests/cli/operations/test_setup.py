"""`featurestore setup` with Java: the archive is made once, used by sessions, and removed.

An ordinary run takes the archive that `make setup` has made; a soak makes one.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from featurestore.engines.spark.session.archive import archive_file, is_whole
from featurestore.engines.spark.session.jars import CACHE_VARIABLE, delta_jars, session_jars
from featurestore.engines.spark.session.java import find_java
from tests.effort import is_soak
from tests.engines.spark.session.test_archive import MAGIC

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


def test_sessions_use_the_archive_of_make_setup(spark: SparkSession) -> None:
    archive = archive_file(find_java(), session_jars())
    if not is_whole(archive):
        is_ci = os.environ.get("HYPOTHESIS_PROFILE") == "ci"
        (pytest.fail if is_ci else pytest.skip)("there is no archive: run make setup")

    options = spark.conf.get("spark.driver.extraJavaOptions", "")

    assert f"-XX:SharedArchiveFile={archive}" in (options or "")


def test_an_archive_is_not_made_again_and_is_removed(tmp_path: Path) -> None:
    (tmp_path / "jars").symlink_to(delta_jars()[0].parents[1])
    made = archive_file(find_java(), session_jars(tmp_path), tmp_path)
    made.parent.mkdir()
    made.write_bytes(MAGIC + b"classes")

    again = call(tmp_path, PROGRAM, "setup")
    was_whole = made.exists()
    removed = call(tmp_path, PROGRAM, "setup", "--remove")

    assert (again.returncode, removed.returncode) == (0, 0)
    assert "ready: made" not in again.stderr
    assert was_whole
    assert not made.exists()


@pytest.mark.spark
@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.skipif(not is_soak(), reason="`make soak` runs it")
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


def test_a_part_that_there_is_not_is_an_error_with_the_near_one(run) -> None:
    code, _, err = run("setup", "--with", "s33")

    assert (code, "s33" in err, "'s3'" in err) == (2, True, True)
