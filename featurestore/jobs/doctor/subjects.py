"""What the doctor looks at: the ledgers, the current table of each view, and its quarantine."""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from featurestore.definitions.model.view import FeatureView
from featurestore.jobs.doctor.finding import Subject
from featurestore.jobs.materialize.job import Job
from featurestore.store.delta.log import is_table
from featurestore.store.failures import storage_errors
from featurestore.store.file_system import list_names
from featurestore.store.ledger.runs import Runs
from featurestore.store.ledger.tables import TableRecord, Tables


def ledger_subjects(job: Job) -> list[Subject]:
    """Return the ledgers that there are, and the registry."""
    layout = job.layout
    named = {
        "registry": layout.registry(),
        "ledger of builds": layout.tables(),
        "ledger of runs": layout.runs(),
        "ledger of files": layout.files(),
        "ledger of profiles": layout.profiles(),
        "ledger of models": layout.models(),
    }
    subjects = (
        Subject(name, uri, layout=layout, clock=job.clock, loaded=job.loaded)
        for name, uri in named.items()
    )
    return [subject for subject in subjects if has_log(subject)]


def view_subjects(job: Job, views: Sequence[FeatureView]) -> list[Subject]:
    """Return the current tables of views. A view without a table has none."""
    layout = job.layout
    builds, runs = Tables(layout).records(), Runs(layout).records()
    current = {build.view: build for build in builds if build.state == "current"}
    return [
        Subject(
            view.name,
            layout.features(view.name, current[view.name].table_id),
            layout=layout,
            clock=job.clock,
            loaded=job.loaded,
            view=view,
            record=current[view.name],
            builds=builds,
            runs=tuple(run for run in runs if run.view == view.name),
        )
        for view in views
        if view.name in current
    ]


def quarantine_subject(subject: Subject) -> Subject:
    """Return the quarantine of a view's table. There may be no table at its address."""
    record = cast("TableRecord", subject.record)  # the subject is a view's table
    uri = subject.layout.quarantine(record.view, record.table_id)
    name = f"quarantine of {record.view}"
    return replace(subject, name=name, uri=uri, is_quarantine=True)


def read_again(subject: Subject) -> Subject:
    """Return the same subject as it is now: a run may have ended since it was read.

    A view may have another current table by now.
    """
    if subject.view is None:
        return replace(subject)
    layout, view = subject.layout, subject.view
    builds, runs = Tables(layout).records(), Runs(layout).records()
    own = (build for build in builds if build.view == view.name and build.state == "current")
    record = next(own, cast("TableRecord", subject.record))  # the subject is a view's table
    again = replace(
        subject,
        uri=layout.features(view.name, record.table_id),
        record=record,
        builds=builds,
        runs=tuple(run for run in runs if run.view == view.name),
    )
    return quarantine_subject(again) if subject.is_quarantine else again


def has_log(subject: Subject) -> bool:
    """Return whether there is a Delta log at a subject's address.

    Raises:
        StorageError: The address cannot be reached or read.
    """
    # First, because delta-rs says that there are no credentials; Arrow then asks without any.
    if is_table(subject.uri):
        return True
    with storage_errors(f"open table {subject.uri}", subject.uri):
        return bool(list_names(f"{subject.uri}/_delta_log"))
