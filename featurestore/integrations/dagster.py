"""A module of Dagster definitions: one partitioned asset for each view, with schedules."""

import re
import shlex
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import chain, count, pairwise
from pathlib import Path

from featurestore.integrations.project import ScheduledProject, ScheduledView
from featurestore.integrations.template import filled, literal
from featurestore.jobs.schedule.cron import last_tick, next_tick

_TEXT = '''\
"""The schedules of feature store project `$project`, for Dagster 1.13 or newer.

Written by `featurestore schedule export dagster`: write it again after a change of a schedule, a
view, its expectations, or the project's folder. Load it: `dagster dev -f $file`.

Each view is an asset. It is materialized by the command `featurestore materialize VIEW`, which
reads the rows that are new in the view's source. It is safe to run again: rows that are stored are
not read twice. A partition is the time between two ticks of the view's schedule. One run reads
everything that is new, so a backfill of many partitions is a single run.
"""

import json
import os
import subprocess
from datetime import timedelta

import dagster as dg

NAME = $name
FEATURESTORE = $program
PROJECT = $folder
ENVIRONMENT = $variables

# Exit codes that another attempt does not change: wrong usage or definitions, bad data, a bug.
LASTING = (2, 4, 70)
# What an asset's metadata says about a run.
FACTS = (
    *("version", "run_id", "status", "kind", "table_id"),
    *("rows_in", "rows_out", "null_rows", "rows_quarantined"),
)
SEVERITIES = {"fail": dg.AssetCheckSeverity.ERROR}


def featurestore(*arguments):
    """Run a command of the feature store, and return its JSON."""
    done = subprocess.run(
        [FEATURESTORE, *arguments, "--json", "--project", PROJECT],
        env={**os.environ, **ENVIRONMENT},
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        raise dg.Failure(
            f"featurestore {' '.join(arguments)} ended with exit code {done.returncode}",
            allow_retries=done.returncode not in LASTING,
        )
    return json.loads(done.stdout)


def asset_key(view):
    """Return the key of a view's asset."""
    return dg.AssetKey(["featurestore", NAME, view])


def view_asset(view, schedule, start, upstream, longest, checks, description):
    """Return the asset of a view.

    Its ticks are at most ``longest`` seconds apart. Each check has its name here, its name in the
    feature store, and its severity.
    """
    key = asset_key(view)

    @dg.asset(
        key=key,
        deps=[asset_key(upstream)] if upstream else [],
        description=description,
        group_name="featurestore",
        kinds={"featurestore", "deltalake"},
        partitions_def=partitions(schedule, start),
        backfill_policy=dg.BackfillPolicy.single_run(),
        freshness_policy=dg.FreshnessPolicy.time_window(
            warn_window=timedelta(seconds=longest * 1.5),
            fail_window=timedelta(seconds=longest * 2),
        ),
        retry_policy=dg.RetryPolicy(
            max_retries=$retries,
            delay=$seconds,
            backoff=dg.Backoff.EXPONENTIAL,
        ),
        check_specs=[
            dg.AssetCheckSpec(name, asset=key, description=f"no new row fails {check}")
            for name, check, _ in checks
        ],
    )
    def materialize():
        [run] = featurestore("materialize", view, "--wait")["runs"]
        [table] = featurestore("status", view)["status"]
        failures = run["failures"]
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": table["rows"],
                "dagster/partition_row_count": run["rows_out"],
                **{name: run[name] for name in FACTS},
                "failures": failures,
            },
            check_results=[
                dg.AssetCheckResult(
                    check_name=name,
                    passed=check not in failures,
                    severity=SEVERITIES.get(severity, dg.AssetCheckSeverity.WARN),
                    metadata={"failing_rows": failures.get(check, 0)},
                )
                for name, check, severity in checks
            ],
        )

    return materialize


def partitions(schedule, start):
    """Return the times between the ticks of a schedule, in UTC."""
    return dg.TimeWindowPartitionsDefinition(
        start=start, fmt="%Y-%m-%dT%H:%M", cron_schedule=schedule, timezone="UTC"
    )


def view_schedule(root, views):
    """Return the schedule of views that run together."""
    name = f"featurestore_{NAME}_{root}".replace("-", "_")
    selection = dg.AssetSelection.assets(*map(asset_key, views))
    job = dg.define_asset_job(name, selection=selection)
    return dg.build_schedule_from_partitioned_job(
        job, default_status=dg.DefaultScheduleStatus.RUNNING
    )


defs = dg.Definitions(
    assets=[
        # view, schedule and first partition in UTC, view that it derives from, the longest time
        # between two ticks in seconds, checks, description
$assets
    ],
    schedules=[
$schedules
    ],
)
'''


def dagster_steps(project: ScheduledProject, files: Sequence[Path]) -> list[str]:
    """Return the command that loads the definitions."""
    return [f"dagster dev -f {shlex.quote(str(files[0]))}"]


def dagster_files(project: ScheduledProject) -> dict[str, str]:
    """Return the module of definitions, by the name of its file."""
    name = f"featurestore_{project.name}_dagster.py"
    assets, groups = [], dict[str, list[str]]()
    for view in project.views:
        longest = int(longest_gap(view.schedule, project.since).total_seconds())
        start = f"{first_partition(view.schedule, project.since):%Y-%m-%dT%H:%M}"
        values = (view.name, view.schedule, start, view.upstream, longest)
        parts = [*map(literal, values), _checks(view), literal(view.description)]
        assets.append(f"        view_asset({', '.join(parts)}),")
        groups.setdefault(project.group_of[view.name], []).append(view.name)
    schedules = [
        f"        view_schedule({literal(root)}, [{', '.join(map(literal, views))}]),"
        for root, views in groups.items()
    ]
    text = filled(
        _TEXT,
        project,
        file=name,
        assets="\n".join(assets),
        schedules="\n".join(schedules),
    )
    return {name: text}


def _checks(view: ScheduledView) -> str:
    """Return the checks of a view as code: each as Dagster's name, own name, and severity."""
    names = check_names([name for name, _ in view.checks])
    rows = (
        f"({', '.join(map(literal, (short, name, severity)))})"
        for short, (name, severity) in zip(names, view.checks, strict=True)
    )
    return f"[{', '.join(rows)}]"


def check_names(names: Sequence[str]) -> list[str]:
    """Return names for Dagster, whose names have ASCII letters, digits and _ only.

    Example:
        >>> check_names(["amount:not_null", "größe:le", "große:le"])
        ['amount_not_null', 'gr__e_le', 'gro_e_le']
        >>> check_names(["a:b", "a_b", "a b"])
        ['a_b', 'a_b_2', 'a_b_3']
    """
    taken: list[str] = []
    for name in names:
        short = re.sub(r"[^A-Za-z0-9_]", "_", name)
        numbered = (f"{short}_{number}" for number in count(2))
        taken.append(next(each for each in chain([short], numbered) if each not in taken))
    return taken


def first_partition(schedule: str, since: datetime) -> datetime:
    """Return the start of the last partition that was complete at a moment.

    Example:
        >>> from datetime import UTC
        >>> first_partition("0 3 * * *", datetime(2026, 1, 9, 12, tzinfo=UTC)).isoformat()
        '2026-01-08T03:00:00+00:00'
    """
    return last_tick(schedule, last_tick(schedule, since) - timedelta(minutes=1))


@lru_cache(maxsize=1024)  # PERF: views share their schedules, and a year of ticks takes 1 s
def longest_gap(schedule: str, since: datetime, ticks: int = 1000) -> timedelta:
    """Return the longest time between two of the next ticks of a schedule.

    Example:
        >>> from datetime import UTC
        >>> longest_gap("0 3 * * mon-fri", datetime(2026, 1, 1, tzinfo=UTC)).days
        3
    """
    found, end = [next_tick(schedule, since)], since + timedelta(days=366)
    while len(found) < ticks and (found[-1] < end or len(found) < 2):
        found.append(next_tick(schedule, found[-1]))
    return max(after - before for before, after in pairwise(found))
