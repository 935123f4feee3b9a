"""Delta's jars are resolved once, whole, by one process at a time, and then only read."""

from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from zipfile import ZipFile

import pytest

from featurestore.engines.spark.session.jars import cache_folder, delta_jars, package_jars
from featurestore.errors import SetupError

DELTA = metadata.version("delta-spark")
POM = """<project><modelVersion>4.0.0</modelVersion><groupId>{group}</groupId>
<artifactId>{name}</artifactId><version>{version}</version><dependencies>{needs}</dependencies>
</project>"""
NEED = """<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId>
<version>{version}</version></dependency>"""
SETTINGS = """<ivysettings><settings defaultResolver="here"/><resolvers>
<filesystem name="here" m2compatible="true">
<ivy pattern="{mirror_folder}/[organisation]/[module]/[revision]/[module]-[revision].pom"/>
<artifact pattern="{mirror_folder}/[organisation]/[module]/[revision]/[module]-[revision].[ext]"/>
</filesystem></resolvers></ivysettings>"""

# A stand-in for Delta: what it is, what it needs, and what pyspark has already.
SPARK, STORAGE, KNOWN = (
    {"group": "io.delta", "name": "delta-spark_4.2_2.13", "version": DELTA},
    {"group": "io.delta", "name": "delta-storage", "version": DELTA},
    {"group": "org.roaringbitmap", "name": "RoaringBitmap", "version": "0.9.25"},
)


def publish(mirror_folder: Path, artifact: dict[str, str], *needs: dict[str, str]) -> None:
    """Lay an artifact into a Maven-style folder."""
    folder = mirror_folder.joinpath(
        artifact["group"].replace(".", "/"), *list(artifact.values())[1:]
    )
    folder.mkdir(parents=True)
    stem = f"{artifact['name']}-{artifact['version']}"
    needed = "".join(NEED.format(**need) for need in needs)
    (folder / f"{stem}.pom").write_text(POM.format(**artifact, needs=needed))
    with ZipFile(folder / f"{stem}.jar", "w") as jar:
        jar.writestr("name", artifact["name"])


@pytest.fixture
def mirror(tmp_path: Path) -> dict[str, str]:
    """Return the Spark settings of a site that has Delta in a folder of its own."""
    mirror_folder = tmp_path / "mirror"
    publish(mirror_folder, SPARK, STORAGE, KNOWN)
    publish(mirror_folder, STORAGE)
    publish(mirror_folder, KNOWN)
    return ivy_settings(tmp_path, mirror_folder)


def ivy_settings(folder: Path, mirror_folder: Path) -> dict[str, str]:
    file = folder / "ivy.xml"
    file.write_text(SETTINGS.format(mirror_folder=mirror_folder))
    return {"spark.jars.ivySettings": str(file), "spark.master": "unused"}


@pytest.mark.spark
def test_two_at_once_resolve_once_and_keep_what_pyspark_lacks(
    tmp_path: Path, mirror: dict[str, str]
) -> None:
    cache = tmp_path / "cache"

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: delta_jars(cache, mirror), range(2))

    assert first == second
    assert [jar.name for jar in first] == [
        f"io.delta_delta-spark_4.2_2.13-{DELTA}.jar",
        f"io.delta_delta-storage-{DELTA}.jar",
    ]
    left = {path.name for path in (cache / "jars").iterdir()}
    assert left - {f"{first[0].parent.name}.lock"} == {first[0].parent.name}


@pytest.mark.spark
def test_fetching_is_reported_with_its_folder_once(
    tmp_path: Path, mirror: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    jars = delta_jars(tmp_path / "cache", mirror)
    fetched = capsys.readouterr()

    delta_jars(tmp_path / "cache", mirror)

    assert fetched.out == ""
    assert fetched.err.count(str(jars[0].parent)) == 1
    assert f"{len(jars)} jars" in fetched.err
    assert tuple(capsys.readouterr()) == ("", "")


@pytest.mark.spark
def test_a_damaged_jar_is_resolved_again(tmp_path: Path, mirror: dict[str, str]) -> None:
    jar = delta_jars(tmp_path / "cache", mirror)[0]
    whole = jar.read_bytes()
    jar.write_bytes(whole[:-1] + b"!")

    again = delta_jars(tmp_path / "cache", mirror)[0]

    assert again == jar
    assert again.read_bytes() == whole


@pytest.mark.spark
def test_jars_that_are_not_to_be_had_are_an_error_that_leaves_nothing(tmp_path: Path) -> None:
    settings = ivy_settings(tmp_path, tmp_path / "empty")

    with pytest.raises(SetupError) as refused:
        delta_jars(tmp_path / "cache", settings)

    assert f"io.delta:delta-spark_4.2_2.13:{DELTA} was not found" in refused.value.found
    assert "FEATURESTORE_CACHE" in refused.value.fix
    assert "\n" not in str(refused.value)
    assert list((tmp_path / "cache" / "jars").glob("*[!k]")) == []


@pytest.mark.spark  # the cache must be filled first
def test_a_filled_cache_is_read_without_java(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jars = delta_jars()
    monkeypatch.setenv("FEATURESTORE_CACHE", str(cache_folder().resolve()))
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)

    assert delta_jars() == jars
    assert {jar.name.removesuffix(f"-{DELTA}.jar") for jar in jars} == {
        "io.delta_delta-kernel-api",
        "io.delta_delta-kernel-defaults",
        "io.delta_delta-kernel-unitycatalog",
        "io.delta_delta-spark_4.2_2.13",
        "io.delta_delta-storage",
    }


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")

    with pytest.raises(SetupError, match="the cache cannot be written"):
        delta_jars(tmp_path / "cache")


def test_a_package_that_cannot_be_fetched_is_named(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.write_text("a file")

    with pytest.raises(SetupError) as refused:
        package_jars("kafka", cache)

    assert ("kafka" in refused.value.call, "Delta" in refused.value.call) == (True, False)
