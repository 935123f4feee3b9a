"""The events of a run, in the form of OpenLineage."""

from datetime import UTC, datetime
from uuid import UUID, uuid5

from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    documentation_job,
    error_message_run,
    job_type_job,
    ownership_job,
    sql_job,
)
from openlineage.client.generated.base import JobFacet, RunFacet

from featurestore.credentials import without_credentials
from featurestore.definitions.model.view import FeatureView
from featurestore.jobs.openlineage.datasets import input_of, output_of
from featurestore.store.layout import Layout
from featurestore.store.ledger.runs import RunRecord

PRODUCER = "https://github.com/featurestore/featurestore"
# Any constant: the same run has the same id in each process.
_RUNS = UUID("0b8ad2a5-9f0c-5a4e-9a35-3c1f1f5f2f7e")
_ENDS = {
    "done": RunState.COMPLETE,
    "nothing": RunState.COMPLETE,
    "failed": RunState.FAIL,
    "interrupted": RunState.ABORT,
}


def run_uuid(run_id: str) -> str:
    """Return the id of a run as OpenLineage needs it: a UUID, which follows from the run's name.

    Example:
        >>> run_uuid("r1") == run_uuid("r1") != run_uuid("r2")
        True
    """
    return str(uuid5(_RUNS, run_id))


def run_event(
    project: str, layout: Layout, view: FeatureView, record: RunRecord, *, was_killed: bool = False
) -> RunEvent:
    """Return the event of a run's beginning or of its end.

    Args:
        project: The project's name, which is the namespace of its jobs.
        layout: The addresses of the tables.
        view: The view, as loaded.
        record: The run; ``running`` for its beginning.
        was_killed: Whether the process of the run ended before the run did: it has failed then.
    """
    state = _ENDS.get(record.status, RunState.START)
    if was_killed and state == RunState.ABORT:
        state = RunState.FAIL
    moment = record.started_at if state == RunState.START else record.ended_at
    facets: dict[str, RunFacet] = {}
    if record.outcome.error:
        facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(
            message=without_credentials(record.outcome.error), programmingLanguage="PYTHON"
        )
    return RunEvent(
        eventType=state,
        eventTime=(moment or datetime.now(UTC)).isoformat(),
        producer=PRODUCER,
        run=Run(run_uuid(record.run_id), facets=facets),
        job=Job(project, view.name, facets=_job_facets(view)),
        inputs=[input_of(layout, view, record)],
        outputs=[output_of(layout, view, record)],
    )


def _job_facets(view: FeatureView) -> dict[str, JobFacet]:
    facets: dict[str, JobFacet] = {
        "jobType": job_type_job.JobTypeJobFacet(
            processingType="BATCH", integration="FEATURESTORE", jobType="MATERIALIZATION"
        )
    }
    if view.description:
        text = without_credentials(view.description)
        facets["documentation"] = documentation_job.DocumentationJobFacet(text)
    if view.owner:
        owner = ownership_job.Owner(without_credentials(view.owner))
        facets["ownership"] = ownership_job.OwnershipJobFacet([owner])
    if isinstance(view.transform, str):
        facets["sql"] = sql_job.SQLJobFacet(without_credentials(view.transform))
    return facets
