"""No name and no stored text becomes a path outside of the folder that it belongs to."""

import inspect
import os
from collections.abc import Callable
from os.path import normpath
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import featurestore as fs
from featurestore.cli.files import write_file
from featurestore.credentials import without_credentials
from featurestore.errors import FeatureStoreError, ProjectError, SourceError, TableError
from featurestore.settings import FILE, read_settings
from featurestore.store.layout import Layout
from featurestore.store.ledger.append import append, read
from featurestore.store.paths import address, stays_inside
from featurestore.store.source_files import FilePath

ROOT = "/data/store/shop"
PARTS = [
    "..", ".", "/", "\\", "%2e", "%2E%2e", "%2F", "%5c", "%252e", "%00", "\0", "a", "b c", "#",
    "file:", "file://", "s3://", "~", "$HOME", "${env:HOME}", "*", "[a]", "{a,b}", "|", "\n", "é",
    "?", "\ud800", ":", "-", "@", "&", "=",
]  # fmt: skip
PATHS = st.lists(st.sampled_from(PARTS), min_size=1, max_size=6).map("".join) | st.text(max_size=8)


def addresses() -> list[tuple[str, Callable[[str], str]]]:
    """Return each function of `Layout` that makes an address of names, for each of its names."""
    made = []
    for name, method in inspect.getmembers(Layout(ROOT), inspect.ismethod):
        names = [key for key in inspect.signature(method).parameters if key != "generation"]
        if name.startswith("_") or name == "source":
            continue
        for at in range(len(names)):

            def call(text: str, at: int = at, method: object = method, names: list[str] = names):
                arguments = dict.fromkeys(names, "plain") | {names[at]: text}
                numbers = {"generation"} & inspect.signature(method).parameters.keys()
                return method(**arguments, **dict.fromkeys(numbers, 0))

            made.append((name, call))
    return made


def test_each_address_of_names_is_tried() -> None:
    names = {name for name, _ in addresses()}

    assert names >= {"features", "latest", "checkpoint", "training_set", "view_lock"}


@pytest.mark.parametrize(("name", "make"), addresses())
@given(text=PATHS)
@settings(max_examples=60)
def test_no_name_leads_out_of_the_root(name: str, make: Callable[[str], str], text: str) -> None:
    try:
        path = make(text)
    except TableError as error:
        assert without_credentials(repr(text)) in error.call
    else:
        assert normpath(unquote(path)).startswith(f"{ROOT}/")
        assert path == unquote(path)


@given(path=PATHS)
@example("a/../../x")
@example("%2e%2e/x")
def test_a_path_of_a_log_that_is_accepted_stays_in_its_table(path: str) -> None:
    if not stays_inside(path):
        return

    for written in (path, unquote(path, errors="surrogatepass")):
        assert normpath(os.path.join(ROOT, written)).startswith(ROOT)  # noqa: PTH118 - as a log


@given(name=PATHS)
@settings(max_examples=150)
def test_a_project_is_a_folder_of_its_root_or_is_refused(name: str) -> None:
    with TemporaryDirectory() as folder:
        text = name.encode("utf-8", "replace").decode()
        escaped = "".join(f"\\U{ord(each):08x}" for each in text)
        Path(folder, FILE).write_text(f'project = "{escaped}"\n')
        try:
            root = read_settings(folder).store_root
        except ProjectError as error:
            assert "project" in error.found
        else:
            assert Path(root).parent == Path(folder, "store")
            assert normpath(unquote(root)) == root


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


FOLDERS = [
    "a#b", "a?b", "a b", "file:", "file:x", "..a", "a..", "~", "$HOME", "a;b", "a&b", "a=b", "a+b",
    "a@b", "é", "a'b", 'a"b', "a`b", "-a", "a{b}", "a*b",
]  # fmt: skip


@pytest.mark.parametrize("name", FOLDERS)
def test_tables_in_a_folder_of_any_name_are_in_that_folder(tmp_path: Path, name: str) -> None:
    project = tmp_path / "outer" / name
    project.mkdir(parents=True)
    (project / FILE).write_text('project = "p"\n')
    layout = fs.FeatureStore(project).layout

    append(layout.runs(), pa.schema([("a", pa.int64())]), [{"a": 7}])

    assert read(layout.runs()) == [{"a": 7}]
    assert names(tmp_path) == ["outer"]
    assert names(tmp_path / "outer") == [name]
    assert names(project) == [FILE, "store"]


@pytest.mark.parametrize("name", FOLDERS)
def test_files_of_a_source_are_those_below_its_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "in.csv").write_text("x\n1\n")
    (tmp_path / "out.csv").write_text("x\n2\n")

    files = FilePath(address(name, tmp_path)).files

    assert [(file.name, file.path) for file in files] == [
        ("in.csv", str(tmp_path / name / "in.csv"))
    ]


@pytest.mark.parametrize("target", [lambda path: path / "nothing", lambda path: path / "data"])
def test_a_link_that_leads_nowhere_or_in_a_circle_is_refused(
    tmp_path: Path, target: Callable[[Path], Path]
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    link = folder / "link.csv"
    link.symlink_to(target(tmp_path))

    with pytest.raises(SourceError) as caught:
        _ = FilePath(str(folder)).files

    assert "link.csv" in caught.value.found


@pytest.mark.parametrize("out", ["", ".", "..", "a.exe", "a.csv/..", "folder"])
def test_a_file_to_write_must_have_the_name_of_a_data_file(tmp_path: Path, out: str) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(FeatureStoreError) as caught:
        write_file(pa.table({"a": [1]}), Path(out))

    assert caught.value.exit_code == 2
    assert names(tmp_path) == ["folder"]
