"""Parts that several pages have: who owns a definition and where it is, and a view's state."""

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any

from featurestore.client.status import ViewStatus
from featurestore.credentials import hidden_values, without_credentials
from featurestore.definitions.model.expectations import DeclaredExpectations
from featurestore.definitions.model.manifest import Definition
from featurestore.definitions.model.view import FeatureView
from featurestore.registry.features import View
from featurestore.registry.health import kind_of
from featurestore.site.catalog import Catalog
from featurestore.site.domains import domain_of
from featurestore.store.ledger.runs import RunRecord

Document = dict[str, Any]  # Any: plain data of JSON


def safe(text: str) -> str:
    """Return a text without credentials, also without values that were resolved a moment ago.

    Example:
        >>> safe("s3://key:secret@bucket/x")
        's3://key:***@bucket/x'
    """
    return _safe(text, hidden_values())


@lru_cache(maxsize=20_000)  # PERF: pages repeat the descriptions of their views and features
def _safe(text: str, hidden: tuple[object, ...]) -> str:
    return without_credentials(text)


def label_of(definition: Definition, catalog: Catalog) -> Document:
    """Return a definition's name, description, domain, owner, tags, file and line."""
    return {
        "name": definition.name,
        "description": safe(definition.description),
        "domain": domain_of(definition.origin.file, catalog.definitions),
        "owner": safe(definition.owner),
        "tags": [safe(tag) for tag in definition.tags],
        "origin": str(definition.origin),
    }


def entities_of(views: Iterable[View]) -> list[str]:
    """Return the entities of views; of an on-demand view those of the views that it uses.

    Args:
        views: The views.
    """
    stored: list[FeatureView] = []
    for view in views:
        stored += [view] if isinstance(view, FeatureView) else [use.view for use in view.uses]
    return list(dict.fromkeys(entity.name for each in stored for entity in each.entities))


def freshness_of(view: View, catalog: Catalog) -> Document:
    """Return the state of a view's table. No value depends on the present moment but ``fresh``.

    Args:
        view: The view.
        catalog: Everything that the site shows.
    """
    unknown = ViewStatus(view.name, len(view.feature_names), "unknown")
    status = catalog.statuses.get(view.name, unknown)
    return {
        "state": status.state,
        "schedule": status.schedule,
        "fresh": None if status.freshness is None else status.freshness == "fresh",
        "due_since": moment(status.due_since),
        "newest_event": moment(status.newest_event),
        "rows": status.rows if status.version is not None else None,
        "rows_quarantined": status.rows_quarantined,
        "version": status.version,
        "last_run": status.last_run,
        "last_run_at": moment(status.last_run_at),
        "last_failure_at": moment(status.last_failure_at),
        "error": None if status.error is None else safe(status.error),
        "answers_by": status.answers_by,
    }


def health_of(view: View, catalog: Catalog) -> Document:
    """Return the score of a view, and what it and its features lack."""
    kind = kind_of(view)
    return {
        "score": catalog.health.scores.get((kind, view.name)),
        "issues": [
            {"code": each.code, "reason": safe(each.reason), "fix": safe(each.fix)}
            for each in catalog.health.of(kind, view.name)
        ],
    }


def expectations_of(view: View, catalog: Catalog) -> list[Document]:
    """Return the checks of a view's rows, each with how often rows failed it."""
    declared = view.expectations if isinstance(view, FeatureView) else None
    if not isinstance(declared, DeclaredExpectations):
        return []
    runs = catalog.runs_by_view.get(view.name, ())
    return [
        {
            "name": check.name,
            "text": safe(check.text),
            "severity": check.severity,
            **_failures(check.name, runs),
        }
        for check in declared.checks
    ]


def _failures(check: str, runs: tuple[RunRecord, ...]) -> Document:
    failed = [run for run in runs if run.outcome.failures.get(check)]
    return {
        "failed_rows": sum(run.outcome.failures[check] for run in failed),
        "failed_runs": len(failed),
        "last_failed_at": moment(failed[0].started_at) if failed else None,
    }


def run_document(run: RunRecord) -> Document:
    """Return one run."""
    outcome = run.outcome
    return {
        "run_id": run.run_id,
        "view": run.view,
        "kind": run.kind,
        "status": run.status,
        "started_at": moment(run.started_at),
        "ended_at": moment(run.ended_at),
        "seconds": _seconds(run),
        "rows_in": outcome.rows_in,
        "rows_out": outcome.rows_out,
        "rows_quarantined": outcome.rows_quarantined,
        "failures": dict(sorted(outcome.failures.items())),
        "error": None if outcome.error is None else safe(outcome.error),
    }


def _seconds(run: RunRecord) -> int | None:
    if run.started_at is None or run.ended_at is None:
        return None
    return round((run.ended_at - run.started_at).total_seconds())


def moment(at: datetime | None) -> str | None:
    """Return a moment as ISO 8601 in whole seconds.

    Example:
        >>> from datetime import UTC
        >>> moment(datetime(2026, 1, 31, 9, 30, tzinfo=UTC)), moment(None)
        ('2026-01-31T09:30:00Z', None)
    """
    return None if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}"


def fields_of(columns: Any, personal: Collection[str] = ()) -> list[Document]:
    """Return columns with their types and descriptions, and whether they are personal data.

    Args:
        columns: The columns.
        personal: The names of those that are personal without a mark of their own.
    """
    return [
        {
            "name": each.name,
            "type": str(each.dtype),
            "description": safe(each.description),
            "personal": each.personal or each.name in personal,
        }
        for each in columns
    ]
