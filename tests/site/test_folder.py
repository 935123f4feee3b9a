"""The folder of a site: replaced as a whole, and refused where others have files."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from filelock import FileLock

import featurestore as fs
from featurestore.errors import ConflictError, RequestError, StorageError
from featurestore.site.build import build_site
from featurestore.site.folder import MARKER, replaced_folder
from tests.site.conftest import NOW, Make


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def empty(make_store: Make) -> fs.FeatureStore:
    return make_store("")


def test_a_build_writes_its_files_and_replaces_them(
    empty: fs.FeatureStore, tmp_path: Path
) -> None:
    out = tmp_path / "public" / "site"
    built = build_site(empty, out, NOW)
    first = files_of(out)
    again = build_site(empty, out, NOW)

    assert built == again
    assert (built.files, built.index) == (len(first), out / "index.html")
    assert files_of(out) == first
    assert sorted(path.name for path in out.parent.iterdir()) == [".site.lock", "site"]


def test_a_page_that_is_gone_is_gone_from_the_folder(make_store: Make, tmp_path: Path) -> None:
    source = 'import featurestore as fs\npaid = fs.DeltaSource("paid", path="p")\n'
    store = make_store(f'{source}other = fs.DeltaSource("other", path="q")\n')
    build_site(store, tmp_path / "site", NOW)
    (store.settings.definitions_folder / "shop.py").write_text(source)
    store.apply(store.plan())
    assert (tmp_path / "site" / "sources" / "other.html").exists()

    build_site(store, tmp_path / "site", NOW + timedelta(hours=1))

    assert not (tmp_path / "site" / "sources" / "other.html").exists()


@pytest.mark.parametrize("other", ["notes.txt", "features/mine.html", "deep/folder/x"])
@pytest.mark.parametrize("is_site", [True, False])
def test_a_folder_with_other_files_is_refused(
    empty: fs.FeatureStore, tmp_path: Path, other: str, is_site: bool
) -> None:
    out = tmp_path / "site"
    if is_site:
        build_site(empty, out, NOW)
    (out / other).parent.mkdir(parents=True, exist_ok=True)
    (out / other).write_text("mine")
    before = files_of(out)

    with pytest.raises(RequestError) as raised:
        build_site(empty, out, NOW)

    assert other in raised.value.found
    assert files_of(out) == before
    assert {path.name for path in tmp_path.iterdir()} - {".site.lock"} <= {"site", "feature_defs",
        "featurestore.toml"}  # fmt: skip


@pytest.mark.parametrize(
    "marker", ["", "[]", "{}", '{"schema": 1}', '{"schema": "x", "files": []}']
)
def test_a_damaged_marker_makes_a_folder_one_of_others(
    empty: fs.FeatureStore, tmp_path: Path, marker: str
) -> None:
    out = tmp_path / "site"
    build_site(empty, out, NOW)
    (out / MARKER).write_text(marker)

    with pytest.raises(RequestError):
        build_site(empty, out, NOW)

    assert (out / "index.html").exists()


def test_a_file_in_the_folders_place_is_refused(empty: fs.FeatureStore, tmp_path: Path) -> None:
    (tmp_path / "site").write_text("mine")

    with pytest.raises(RequestError):
        build_site(empty, tmp_path / "site", NOW)

    assert (tmp_path / "site").read_text() == "mine"


def test_a_link_to_a_site_stays_a_link(empty: fs.FeatureStore, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "site").symlink_to(tmp_path / "real")

    build_site(empty, tmp_path / "site", NOW)

    assert (tmp_path / "site").is_symlink()
    assert (tmp_path / "real" / "index.html").exists()


def test_a_build_that_fails_leaves_the_earlier_site(
    empty: fs.FeatureStore, tmp_path: Path
) -> None:
    out = tmp_path / "site"
    build_site(empty, out, NOW)
    before = files_of(out)

    with pytest.raises(KeyError), replaced_folder(out) as folder:
        (folder / "index.html").write_text("half")
        raise KeyError

    assert files_of(out) == before
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".site.") and
                path.is_dir()]  # fmt: skip


def test_what_killed_builds_left_is_removed_by_the_next(
    empty: fs.FeatureStore, tmp_path: Path
) -> None:
    for name in (".site.0123abcd", ".site.0123abcd.old", ".site.mine", ".sites.0123abcd"):
        (tmp_path / name).mkdir()

    build_site(empty, tmp_path / "site", NOW)

    left = {path.name for path in tmp_path.iterdir() if path.name.startswith(".site")}
    assert left == {".site.lock", ".site.mine", ".sites.0123abcd"}


def test_files_that_appear_during_a_build_are_kept(tmp_path: Path) -> None:
    out = tmp_path / "site"
    with pytest.raises(RequestError), replaced_folder(out):
        out.mkdir()
        (out / "mine").write_text("x")

    assert files_of(out) == {"mine": b"x"}


def test_two_builds_at_once_are_a_conflict(empty: fs.FeatureStore, tmp_path: Path) -> None:
    with FileLock(tmp_path / ".site.lock"), pytest.raises(ConflictError):
        build_site(empty, tmp_path / "site", NOW)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_an_error_of_ours(
    empty: fs.FeatureStore, tmp_path: Path
) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)

    with pytest.raises(StorageError):
        build_site(empty, tmp_path / "closed" / "site", NOW)


def test_a_parent_that_is_a_file_is_an_error_of_ours(
    empty: fs.FeatureStore, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StorageError):
        build_site(empty, tmp_path / "file" / "site", NOW)


def test_what_desktops_leave_in_a_site_does_not_stop_the_next_build(
    empty: fs.FeatureStore, tmp_path: Path
) -> None:
    out = tmp_path / "site"
    build_site(empty, out, NOW)
    (out / ".DS_Store").write_bytes(b"x")

    build_site(empty, out, NOW)

    assert not (out / ".DS_Store").exists()
