"""Java is found by JAVA_HOME and by PATH, and what is wrong with it is said in one line."""

from pathlib import Path

import pytest

from featurestore.engines.spark.session.java import find_java
from featurestore.errors import SetupError


def java(home: Path, version_text: str) -> Path:
    """Write a program that tells a version as Java does, on stderr."""
    program = home / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho '{version_text}' >&2\n")
    program.chmod(0o755)
    return home


def test_java_home_comes_first(tmp_path: Path) -> None:
    home = java(tmp_path / "a", 'openjdk version "21.0.2" 2024-01-16')
    other = java(tmp_path / "b", 'openjdk version "17.0.15" 2025-04-15')

    found = find_java({"JAVA_HOME": str(home), "PATH": str(other / "bin")})

    assert (found.home, found.version) == (home, 21)


def test_path_serves_where_java_home_is_too_old(tmp_path: Path) -> None:
    old = java(tmp_path / "a", 'java version "1.8.0_402"')
    new = java(tmp_path / "b", 'openjdk version "17" 2021-09-14')

    found = find_java({"JAVA_HOME": str(old), "PATH": str(new / "bin")})

    assert (found.home, found.version) == (new, 17)


def test_a_link_on_path_is_followed_to_its_home(tmp_path: Path) -> None:
    home = java(tmp_path / "a", 'openjdk version "17.0.1" 2021-10-19')
    links = tmp_path / "links"
    links.mkdir()
    (links / "java").symlink_to(home / "bin" / "java")

    assert find_java({"PATH": str(links)}).home == home


def test_old_java_is_refused_by_its_version(tmp_path: Path) -> None:
    old = java(tmp_path / "a", 'openjdk version "11.0.22" 2024-01-16')

    with pytest.raises(SetupError) as refused:
        find_java({"PATH": str(old / "bin")})

    assert refused.value.found == f"Java 11 at {old}/bin/java"
    assert "apt-get install openjdk-17-jre-headless" in refused.value.fix
    assert "\n" not in str(refused.value)


def test_no_java_is_said(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no Java by JAVA_HOME or on PATH"):
        find_java({"PATH": str(tmp_path)})


def test_a_java_home_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="bin/java, which does not run"):
        find_java({"JAVA_HOME": str(tmp_path), "PATH": ""})
