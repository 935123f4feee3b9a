"""Checks of a table's Delta log: its commits, its checkpoints and its protocol."""

import json
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from featurestore.errors import TableError
from featurestore.jobs.doctor.finding import Finding, Subject
from featurestore.store.delta.commit_files import GONE, newest_checkpoint
from featurestore.store.delta.protocol import check_plain
from featurestore.store.delta.snapshot import open_table
from featurestore.store.file_system import file_system, list_names, read_text
from featurestore.store.paths import is_local

LOST_COMMIT, DAMAGED_COMMIT, DAMAGED_CHECKPOINT, PROTOCOL = "D101", "D102", "D103", "D104"
LAST_CHECKPOINT = "_last_checkpoint"


def commits_are_whole(subject: Subject) -> Iterator[Finding]:
    """Yield commits whose files are gone, empty, cut or no JSON."""
    for at, commit in enumerate(subject.commits):
        if commit.damage:
            is_newest = at == 0 and is_local(subject.uri)
            yield subject.finding(
                LOST_COMMIT if commit.damage == GONE else DAMAGED_COMMIT,
                f"the commit {commit.address} {commit.damage}",
                _fix(subject, is_newest=is_newest),
                repairable=is_newest,
            )


def _fix(subject: Subject, *, is_newest: bool) -> str:
    fix = "Restore the file from a copy."
    if is_newest:
        fix += " Or set the commit aside by `featurestore doctor --repair`"
        if subject.view is None:
            return f"{fix}, and run the last command again."
        if not subject.is_quarantine:
            again = f"`featurestore materialize {subject.view.name}`"
            return f"{fix}: the next {again} reads its rows again."
        fix += ", which then says whether rows of the quarantine are lost."
    return f"{fix} Or build the view again: {subject.rebuild}." if subject.view else fix


def checkpoints_open(subject: Subject) -> Iterator[Finding]:
    """Yield a newest checkpoint that readers cannot begin with."""
    damage = _checkpoint_damage(subject.uri)
    if damage is None:
        return
    is_complete = has_all_commits(subject)
    yield subject.finding(
        DAMAGED_CHECKPOINT,
        damage,
        "Run `featurestore doctor --repair`, which writes it again: the commits are complete."
        if is_complete
        else "Restore the file from a copy: commits that it stands for are gone."
        + (f" Or build the view again: {subject.rebuild}." if subject.view else ""),
        repairable=is_complete,
    )


def has_all_commits(subject: Subject) -> bool:
    """Return whether the files of all commits are there and whole: no checkpoint is needed."""
    commits = subject.commits
    newest = max([newest_checkpoint(subject.uri), *(commit.version for commit in commits)])
    whole = [commit for commit in commits if not commit.damage]
    return is_local(subject.uri) and len(whole) == newest + 1


def checkpoint_names(uri: str, version: int) -> list[str]:
    """Return the names of the files of a checkpoint."""
    names = list_names(f"{uri}/_delta_log")
    return [name for name in names if name.startswith(f"{version:020}.checkpoint")]


def _checkpoint_damage(uri: str) -> str | None:
    pointer = read_text(f"{uri}/_delta_log/{LAST_CHECKPOINT}")
    if pointer is not None and not _is_object(pointer):
        return f"the file {uri}/_delta_log/{LAST_CHECKPOINT} is damaged"
    version = newest_checkpoint(uri)
    kinds: set[str] = set()
    for name in checkpoint_names(uri, version) if version >= 0 else ():
        address = f"{uri}/_delta_log/{name}"
        filesystem, path = file_system(address)
        try:
            rows = pq.read_table(path, filesystem=filesystem)
        except (OSError, pa.ArrowException) as error:
            return f"the checkpoint {address} cannot be read: {str(error).splitlines()[0][:200]}"
        present = [column for column in rows.column_names if rows[column].null_count < len(rows)]
        kinds |= set(present)
    missing = {"metaData", "protocol"} - kinds if version >= 0 else set()
    if missing:
        lacking = " and no ".join(sorted(missing))
        return f"the checkpoint of version {version} of {uri} has no {lacking}"
    return None


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def protocol_is_plain(subject: Subject) -> Iterator[Finding]:
    """Yield why not every engine can read a table of ours."""
    if any(commit.damage for commit in subject.commits):
        return
    open_table(subject.uri)  # a table that does not open has another code
    try:
        check_plain(subject.uri)
    except TableError as error:
        yield subject.finding(PROTOCOL, error.found, error.fix)
