"""Reports of earlier runs: where tables and code are as they were, nothing is trained again."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from demo.measure import Score
from demo.report import Grid, Report
from featurestore.client.feature_store import FeatureStore

FOLDER = "data/demo"


def state_of(store: FeatureStore, service: str) -> str:
    """Return a digest of all that a domain's report follows from.

    That is the service as applied, the versions of its views' tables, and the code of the demo.
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


def recall(project: Path, domain: str, state: str) -> Report | None:
    """Return the report of an earlier run in the same state."""
    file = project / FOLDER / f"{domain}.json"
    if not file.is_file():
        return None
    kept = json.loads(file.read_text(encoding="utf-8"))
    if kept["state"] != state:
        return None
    report = kept["report"]
    return Report(
        **report
        | {
            "scores": [Score(**score) for score in report["scores"]],
            "grids": [Grid(**grid) for grid in report["grids"]],
            "remarks": tuple(report["remarks"]),
        }
    )


def remember(project: Path, report: Report, state: str) -> None:
    """Keep a report for the next run."""
    file = project / FOLDER / f"{report.domain}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"state": state, "report": asdict(report)}, indent=1)
    file.write_text(text, encoding="utf-8")
