"""The class-data archive is used where it is whole and fits, and nothing depends on it."""

from pathlib import Path

import pytest

from featurestore.engines.spark.session.archive import (
    OPTIONS,
    archive_file,
    is_whole,
    making_archive,
    remove_archives,
    with_archive,
)
from featurestore.engines.spark.session.java import Java

MAGIC = bytes.fromhex("a8ab0bf0")


@pytest.fixture
def java(tmp_path: Path) -> Java:
    (tmp_path / "java").mkdir()
    (tmp_path / "java" / "release").write_text("JAVA_VERSION=17.0.1")
    return Java(tmp_path / "java", version=17)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    made = tmp_path / "a b.jsa"
    made.write_bytes(MAGIC + b"classes")
    return made


def test_a_whole_archive_is_an_option_of_java_beside_those_of_the_project(archive: Path) -> None:
    assert with_archive({}, archive) == {OPTIONS: f'"-XX:SharedArchiveFile={archive}"'}
    assert with_archive({OPTIONS: "-Xss4m"}, archive) == {
        OPTIONS: f'-Xss4m "-XX:SharedArchiveFile={archive}"'
    }


@pytest.mark.parametrize("content", [b"", b"\0\0\0\0classes", None])
def test_an_archive_that_is_not_whole_is_left(archive: Path, content: bytes | None) -> None:
    archive.unlink()
    if content is not None:
        archive.write_bytes(content)

    assert not is_whole(archive)
    assert with_archive({OPTIONS: "-Xss4m"}, archive) == {OPTIONS: "-Xss4m"}


@pytest.mark.parametrize(
    "chosen",
    ["-XX:SharedArchiveFile=own.jsa", "-XX:ArchiveClassesAtExit=own.jsa", "-Xshare:off"],
)
def test_an_archive_of_the_projects_settings_wins(archive: Path, chosen: str) -> None:
    assert with_archive({OPTIONS: chosen}, archive) == {OPTIONS: chosen}


def test_the_archive_is_made_by_an_option_beside_those_of_the_project(archive: Path) -> None:
    assert making_archive({OPTIONS: "-Xss4m"}, archive)[OPTIONS] == (
        f'-Xss4m "-XX:ArchiveClassesAtExit={archive}"'
    )


def test_each_java_and_each_set_of_jars_has_an_archive_of_its_own(
    java: Java, tmp_path: Path
) -> None:
    jar = tmp_path / "delta.jar"
    jar.write_bytes(b"1")
    first = archive_file(java, (jar,), tmp_path)

    again = archive_file(java, (jar,), tmp_path)
    jar.write_bytes(b"12")
    other_jar = archive_file(java, (jar,), tmp_path)
    (java.home / "release").write_text("JAVA_VERSION=17.0.15")
    other_java = archive_file(java, (jar,), tmp_path)

    assert first == again
    assert len({first, other_jar, other_java}) == 3


def test_archives_are_removed(java: Java, tmp_path: Path) -> None:
    made = archive_file(java, (), tmp_path)
    made.parent.mkdir()
    made.write_bytes(MAGIC)

    assert (remove_archives(tmp_path), made.exists()) == (1, False)
    assert remove_archives(tmp_path) == 0
