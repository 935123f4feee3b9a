"""Which files a path means: a file, a folder with subfolders, or a pattern; and which are none."""

import os
from pathlib import Path

import pyarrow.fs as pafs
import pytest

from featurestore.errors import SourceError
from featurestore.store.source_files import (
    FilePath,
    content_digest,
    folder_values,
    list_files,
    listed_url,
)

NAMES = (
    *("a.csv", "b[1].csv", "c^|%{}*?.csv", "sp ace.csv", "gr\u00f6\u00dfe.csv"),
    *("sub/x.csv", "sub/deep/y.csv", "_day=1/z.csv"),
)
HIDDEN = (
    *("u.csv.tmp", "u.csv.part", "sub/u.csv~", "u.csv._COPYING_"),
    "_s.csv",
    ".h.csv",
    "_tmp/t.csv",
    "sub/.git/u.csv",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files in a folder whose own name looks like a pattern."""
    for name in (*NAMES, *HIDDEN):
        path = tmp_path / "shop [x]" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    return tmp_path / "shop [x]"


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("", sorted(NAMES)),
        ("a.csv", ["a.csv"]),
        ("b[1].csv", ["b[1].csv"]),  # a name that exists is no pattern
        ("_s.csv", ["_s.csv"]),  # nor is it hidden
        ("sub", ["deep/y.csv", "x.csv"]),
        ("s*", ["sp ace.csv", "sub/deep/y.csv", "sub/x.csv"]),
        ("*/x.csv", ["sub/x.csv"]),
        ("**/*y.csv", ["sub/deep/y.csv"]),
        ("[ab]*.csv", ["a.csv", "b[1].csv"]),
        ("[!a]*.csv", ["b[1].csv", "c^|%{}*?.csv", "gr\u00f6\u00dfe.csv", "sp ace.csv"]),
        ("{a,sp ace}.csv", ["a.csv", "sp ace.csv"]),
        ("?.csv", ["a.csv"]),
        ("none*", []),
        ("none", []),
    ],
)
def test_a_path_means_these_files(folder: Path, path: str, names: list[str]) -> None:
    files = list_files(str(folder / path))

    assert [file.name for file in files] == names
    assert [Path(file.address).read_text("utf-8").endswith(file.name) for file in files] == [
        True
    ] * len(names)


@pytest.mark.parametrize("path", ["{a.csv", "[!]", "[z-a].csv"])
def test_a_wrong_pattern_is_an_error(folder: Path, path: str) -> None:
    with pytest.raises(SourceError, match="not closed"):
        list_files(str(folder / path))


def test_names_stay_the_same_where_the_folder_is_moved(folder: Path) -> None:
    before = [file.name for file in list_files(str(folder))]
    moved = folder.rename(folder.with_name("elsewhere"))

    assert [file.name for file in list_files(str(moved))] == before
    assert FilePath(str(moved)).name_of(f"{moved}/sub/x.csv") == "sub/x.csv"


def test_a_name_that_is_not_utf8_is_an_error(tmp_path: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.csv")).write_text("", "utf-8")
    except OSError:
        pytest.skip("this file system has names of UTF-8 only")

    with pytest.raises(SourceError) as refused:
        list_files(str(tmp_path))

    assert str(tmp_path) in refused.value.call


@pytest.mark.parametrize(
    ("table", "path", "expected"),
    [
        ("t/_delta_log/0.json", "t", "Delta"),
        ("t/_delta_log/0.json", "t/day=1", "Delta"),
        ("t/_delta_log/0.json", "", "Delta"),
        ("t/.hoodie/x", "t", "Hudi"),
        ("t/metadata/v1.metadata.json", "t", "Iceberg"),
        ("t/metadata.json", "t", None),
    ],
)
def test_folders_of_tables_are_recognised(
    tmp_path: Path, table: str, path: str, expected: str | None
) -> None:
    for name in (table, "t/day=1/a.parquet"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("", "utf-8")

    assert FilePath(str(tmp_path / path)).table_format == expected


def test_folders_give_their_values_as_texts() -> None:
    name = "day=2026-01-01/shop=007/city=a%20b/none=__HIVE_DEFAULT_PARTITION__/x=1.csv"

    assert folder_values(name) == {
        "day": "2026-01-01",
        "shop": "007",
        "city": "a b",
        "none": None,
    }


def test_a_digest_is_of_the_content_alone(tmp_path: Path) -> None:
    for name, text in (("a", "x"), ("b", "x"), ("c", "y")):
        (tmp_path / name).write_text(text, "utf-8")

    a, b, c = (content_digest(str(tmp_path / name)) for name in "abc")

    assert (a == b, a == c) == (True, False)


@pytest.mark.parametrize("link", ["gone.csv", "sub/gone"])
def test_a_link_to_no_file_is_named_if_it_is_data(folder: Path, link: str) -> None:
    (folder / link).symlink_to("nowhere")
    (folder / "_hidden").symlink_to("nowhere")

    with pytest.raises(SourceError) as error:
        list_files(str(folder))

    assert link in error.value.found
    assert [file.name for file in list_files(str(folder / "a*"))] == ["a.csv"]


@pytest.mark.parametrize("name", ["at=2026-01-01 09%3A30/a.csv", "a?b.csv", "a#b.csv", "a+b%.csv"])
def test_the_url_of_a_listed_file_means_its_name(name: str) -> None:
    url = listed_url("s3://bucket?region=eu", f"bucket/{name}").replace("s3://", "file:///")

    assert pafs.FileSystem.from_uri(url.removesuffix("?region=eu"))[1] == f"/bucket/{name}"


def test_a_folder_that_leads_back_to_itself_is_named(folder: Path) -> None:
    (folder / "sub" / "deep" / "again").symlink_to("..")

    with pytest.raises(SourceError) as error:
        list_files(str(folder))

    assert "sub/deep/again" in error.value.found
    assert [file.name for file in list_files(str(folder / "a*"))] == ["a.csv"]


def test_files_of_linked_folders_are_read(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere" / "day=1").mkdir(parents=True)
    (tmp_path / "elsewhere" / "day=1" / "e.csv").write_text("e", "utf-8")
    (folder / "linked").symlink_to(tmp_path / "elsewhere")

    files = {file.name: file for file in list_files(str(folder))}

    assert files["linked/day=1/e.csv"].size == 1
    assert Path(files["linked/day=1/e.csv"].address).read_text("utf-8") == "e"
