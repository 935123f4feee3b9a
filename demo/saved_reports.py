"""Saved reports: while the tables and the code stay the same, no model is trained again."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from demo.measure import Score
from demo.report import Grid, Report
from featurestore.client.feature_store import FeatureStore

FOLDER = "data/demo"


def digest_of(store: FeatureStore, service: str) -> str:
    """Return a hash of everything that determines a domain's report.

    That is the applied service, the versions of its views' tables, and the code of the demo.
    """
    applied = store.applied().service(service)
    views = {use.view.name for use in applied.stored_uses} if applied else set()
    tables = [
        (status.view, status.version, status.rows)
        for status in store.status()
        if status.view in views
    ]
    digest = hashlib.sha256(repr((applied, sorted(tables))).encode())
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def read_report(project: Path, domain: str, digest: str) -> Report | None:
    """Return the saved report with this digest. None if there is none."""
    file = project / FOLDER / f"{domain}.json"
    if not file.is_file():
        return None
    saved = json.loads(file.read_text(encoding="utf-8"))
    if saved["digest"] != digest:
        return None
    report = saved["report"]
    return Report(
        **report
        | {
            "scores": [Score(**score) for score in report["scores"]],
            "grids": [Grid(**grid) for grid in report["grids"]],
            "remarks": tuple(report["remarks"]),
        }
    )


def save_report(project: Path, report: Report, digest: str) -> None:
    """Save a report for the next run."""
    file = project / FOLDER / f"{report.domain}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"digest": digest, "report": asdict(report)}, indent=1)
    file.write_text(text, encoding="utf-8")
