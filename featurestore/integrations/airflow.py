"""A module of DAGs for Airflow: one asset for each view, with the facts of each run."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from featurestore.integrations.project import ScheduledProject
from featurestore.integrations.template import filled, literal

_TEXT = '''\
"""The schedules of feature store project `$project`, for Airflow 3.2 or newer.

Written by `featurestore schedule export airflow`: write it again after a change of a schedule, a
view, or the project's folder. Copy it to Airflow's folder of DAGs.

Each view is an asset. Its task calls the command `featurestore materialize VIEW`, which reads the
rows that are new in the view's source. It is safe to run again: rows that are stored are not read
twice. The asset's event has the Delta version of the view's table, the rows of the run, and the
run's id. A scheduled run has a partition key: the tick up to which rows were read.
"""

import json
import os
import subprocess
from datetime import timedelta

from airflow.sdk import DAG, Asset, CronPartitionTimetable, task
from airflow.sdk.exceptions import AirflowFailException

NAME = $name
FEATURESTORE = $program
PROJECT = $folder
ENVIRONMENT = $variables

# Exit codes that another attempt does not change: wrong usage or definitions, bad data, a bug.
LASTING = (2, 4, 70)
# What an asset's event says about a run.
FACTS = (
    *("version", "run_id", "status", "kind", "table_id"),
    *("rows_in", "rows_out", "null_rows", "rows_quarantined"),
)


def view_task(view, asset):
    """Return the task that brings a view's table up to date."""

    @task(
        task_id=view,
        outlets=[asset],
        retries=$retries,
        retry_delay=timedelta(seconds=$seconds),
        retry_exponential_backoff=True,
    )
    def materialize(*, outlet_events):
        command = [FEATURESTORE, "materialize", view, "--wait", "--json", "--project", PROJECT]
        environment = {**os.environ, **ENVIRONMENT}
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
        if done.returncode in LASTING:
            raise AirflowFailException(f"featurestore ended with exit code {done.returncode}")
        done.check_returncode()
        [run] = json.loads(done.stdout)["runs"]
        outlet_events[asset].extra = {name: run[name] for name in FACTS if name in run}

    return materialize()


def dag(root, schedule, views):
    """Define the DAG of views that have one schedule, each with the view that it derives from."""
    with DAG(
        dag_id=f"featurestore_{NAME}_{root}",
        schedule=CronPartitionTimetable(schedule, timezone="UTC"),
        catchup=False,  # one run reads everything that is new
        max_active_runs=1,
        is_paused_upon_creation=False,
        tags=["featurestore", NAME],
    ):
        tasks = {}
        for view, upstream, description in views:
            asset = Asset(
                name=f"featurestore/{NAME}/{view}",
                group="featurestore",
                extra={"description": description, "schedule": schedule},
            )
            tasks[view] = view_task(view, asset)
            if upstream in tasks:
                tasks[upstream] >> tasks[view]


# The DAG's name, its schedule in UTC, and its views: name, view that it derives from, description.
$dags
'''


def airflow_steps(project: ScheduledProject, files: Sequence[Path]) -> list[str]:
    """Return the command that makes the DAGs known to Airflow."""
    dags = '"${AIRFLOW_HOME:-$HOME/airflow}/dags"'
    return [f"mkdir -p {dags} && cp {shlex.quote(str(files[0]))} {dags}"]


def airflow_files(project: ScheduledProject) -> dict[str, str]:
    """Return the module of DAGs, by the name of its file."""
    groups: dict[str, list[tuple[str | None, ...]]] = {}
    schedules = {view.name: view.schedule for view in project.views}
    for view in project.views:
        row = (view.name, view.upstream, view.description)
        groups.setdefault(project.group_of[view.name], []).append(row)
    dags = "\n".join(
        f"dag({literal(root)}, {literal(schedules[root])}, [\n"
        + "".join(f"    ({', '.join(map(literal, row))}),\n" for row in rows)
        + "])"
        for root, rows in groups.items()
    )
    return {f"featurestore_{project.name}.py": filled(_TEXT, project, dags=dags)}
