"""The repairs: each changes as little as possible, and sets damaged files aside."""

import shutil
from dataclasses import replace
from pathlib import Path

from featurestore.jobs.doctor.finding import Subject
from featurestore.jobs.doctor.ledger import wrong_records
from featurestore.jobs.doctor.logs import LAST_CHECKPOINT, checkpoint_names, has_all_commits
from featurestore.jobs.materialize.reconcile import reconcile
from featurestore.store.delta.commit_files import newest_checkpoint, newest_commit_files
from featurestore.store.delta.snapshot import open_table
from featurestore.store.failures import storage_errors
from featurestore.store.file_system import list_names
from featurestore.store.ledger.runs import Outcome, Runs
from featurestore.store.paths import local_path

DAMAGED = "_damaged"
_LOST = "its commit was damaged, and `featurestore doctor --repair` set it aside"


def set_commit_aside(subject: Subject) -> str:
    """Remove a damaged newest commit from the log, so that a run reads its rows again.

    The commit is the newest one, so no later state depends on it. The ledger records that the
    run's rows are gone, and the stream's checkpoint, which counts them as read, is set aside too:
    the next run goes on after the last commit that is left.
    """
    aside: list[str] = []
    with storage_errors(f"repair {subject.uri}", subject.uri):
        # The commit before it may be damaged too.
        while (commits := newest_commit_files(subject.uri, 1)) and commits[0].damage:
            version = commits[0].version
            if newest_checkpoint(subject.uri) >= version:
                break
            for name in list_names(f"{subject.uri}/_delta_log"):
                # With Delta's checksums of the table, and Hadoop's of the files.
                if name.lstrip(".").startswith(f"{version:020}."):
                    _set_aside(subject.uri, "_delta_log", name)
            if not subject.is_quarantine:
                _forget_runs(subject, version)
            aside.append(str(version))
        record = subject.record
        if aside and record is not None and not subject.is_quarantine:
            _set_aside(subject.layout.checkpoints(record.table_id), "", str(record.generation))
    if not aside:
        return ""
    return f"set the commits {', '.join(aside)} aside, in {subject.uri}/{DAMAGED}"


def _forget_runs(subject: Subject, version: int) -> None:
    lost = [run for run in subject.own_runs if (run.outcome.version or -1) >= version]
    if lost:
        Runs(subject.layout).record(
            *(replace(run, status="failed", outcome=Outcome(error=_LOST)) for run in lost)
        )


def write_checkpoint_again(subject: Subject) -> str:
    """Set a damaged checkpoint aside, and write it again from the commits, which are complete."""
    if not has_all_commits(subject):
        return ""
    version = newest_checkpoint(subject.uri)
    with storage_errors(f"repair {subject.uri}", subject.uri):
        for name in (*checkpoint_names(subject.uri, version), LAST_CHECKPOINT):
            _set_aside(subject.uri, "_delta_log", name)
        open_table(subject.uri).create_checkpoint()
    return f"wrote the checkpoint again; the damaged one is in {subject.uri}/{DAMAGED}"


def complete_ledger(subject: Subject) -> str:
    """Add the records that killed runs did not write."""
    builds = [build for build in subject.builds if build.view == subject.name]
    past = Runs(subject.layout).records(subject.name)
    added = reconcile(subject.layout, builds, past, subject.clock())
    return f"recorded {len(added)} runs" if added else ""


def correct_records(subject: Subject) -> str:
    """Record what the commits of runs say."""
    wrong = wrong_records(subject)
    if wrong:
        Runs(subject.layout).record(*(replace(run, outcome=did) for run, did in wrong))
    return f"recorded {len(wrong)} runs again" if wrong else ""


def _set_aside(uri: str, folder: str, name: str) -> None:
    root = Path(local_path(uri))
    path = root / folder / name
    if not path.exists():
        return
    target = root / DAMAGED
    target.mkdir(exist_ok=True)
    number = sum(1 for each in target.iterdir() if each.name.startswith(name))
    shutil.move(path, target / (f"{name}.{number}" if number else name))
