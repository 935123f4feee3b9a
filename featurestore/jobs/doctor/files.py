"""Checks of data files: those that a table names, and those that nothing names."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pyarrow.fs as pafs

from featurestore.jobs.doctor.finding import Finding, Subject
from featurestore.store.delta.cleanup import vacuum
from featurestore.store.delta.files import file_damage
from featurestore.store.file_system import file_system, infos_of_folder
from featurestore.store.layout import Layout
from featurestore.store.ledger.tables import TableRecord, Tables

MISSING_FILE, OLD_FILES, UNKNOWN_BUILD, DAMAGED_FILE = "D201", "D202", "D203", "D204"
RETENTION = timedelta(days=7)


def named_files_are_whole(subject: Subject) -> Iterator[Finding]:
    """Yield files of the newest version that are gone, cut or damaged.

    Each file that is there is read, and its pages are compared with their checksums.
    """
    files = subject.snapshot.files
    paths, sizes = files["path"].to_pylist(), files["size_bytes"].to_pylist()
    infos = subject.snapshot.filesystem.get_file_info(paths)
    fix = "Restore the file from a copy."
    if subject.view is not None:
        fix += f" Or build the view again: {subject.rebuild}."
    for path, size, info in zip(paths, sizes, infos, strict=True):
        if info.type == pafs.FileType.File and info.size == size:
            if damage := file_damage(subject.snapshot, path):
                yield subject.finding(DAMAGED_FILE, damage, fix)
            continue
        is_gone = info.type != pafs.FileType.File
        found = "is gone" if is_gone else f"has {info.size:,} bytes, and the log says {size:,}"
        yield subject.finding(MISSING_FILE, f"the file {subject.uri}/{path} {found}", fix)


def old_files_are_removed(subject: Subject) -> Iterator[Finding]:
    """Yield that there are old files which no version needs, for example of a killed run."""
    if any(commit.damage for commit in subject.commits):
        return  # what a lost commit has named may be needed yet
    old = vacuum(subject.uri, RETENTION, dry_run=True)
    if old.files:
        yield subject.finding(
            OLD_FILES,
            f"{old.files:,} files ({old.size / 1e6:.1f} MB) in {subject.uri} are needed by no "
            f"version of the last {RETENTION.days} days",
            "Run `featurestore maintain`, once a day or once a week.",
        )


def unknown_builds(layout: Layout, view: str, builds: Sequence[TableRecord]) -> Iterator[Finding]:
    """Yield folders of builds that the ledger of builds does not have.

    Args:
        layout: The addresses of the tables.
        view: The view's name.
        builds: The newest record of each build, of all views.
    """
    filesystem, folder = file_system(layout.builds(view))
    infos = infos_of_folder(filesystem, folder)
    folders = {info.base_name: info.path for info in infos if info.type == pafs.FileType.Directory}
    if folders.keys() - _known(view, builds):
        # A run that has begun since then has recorded its build before it made the folder.
        builds = Tables(layout).records()
    for name in sorted(folders.keys() - _known(view, builds)):
        yield Finding(
            UNKNOWN_BUILD,
            view,
            found=f"the ledger of builds does not have the table {folders[name]}",
            fix="If the ledger was lost, restore it from a copy. Otherwise remove the folder.",
        )


def _known(view: str, builds: Sequence[TableRecord]) -> set[str]:
    return {build.table_id for build in builds if build.view == view}
