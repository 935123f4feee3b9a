"""What the store answers to each kind of question: the readers' way through all modules.

`FeatureStore` imports this when it is first asked for features: it needs the kernel and Arrow's
compute functions, which `featurestore status` and `plan` do without.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from featurestore.client.checks.verify import Check, verify
from featurestore.client.frame import FeatureFrame, with_label
from featurestore.client.label import Label, labelled, reach_of
from featurestore.client.label_spine import Events, label_spine
from featurestore.client.previews import Surroundings, preview
from featurestore.client.reader import Reader
from featurestore.client.retrieve import Request, retrieve, retrieve_latest
from featurestore.client.spine import read_spine
from featurestore.client.sql import query_sql
from featurestore.definitions.manifest import Manifest

__all__ = [
    "Check",
    "Events",
    "Reader",
    "Request",
    "Surroundings",
    "historical",
    "label_spine",
    "latest",
    "preview",
    "query_sql",
    "read_spine",
    "training_set",
    "verify",
]


def training_set(
    manifest: Manifest,
    reader: Reader,
    request: Request,
    spine: Any,
    label: str | Label,
    now: datetime,
) -> FeatureFrame:
    """Return labelled rows with their features.

    Args:
        manifest: What is applied.
        reader: Reads the tables.
        request: What is asked.
        spine: The rows, in any frame or file.
        label: A column of the spine, or a `Label` to compute.
        now: The present moment, by which a computed label is mature or not.
    """
    table, name = read_spine(spine), label if isinstance(label, str) else label.name
    if isinstance(label, Label):
        table = labelled(manifest, reader, request, table, label, now)
    with_label(FeatureFrame(table, ()), name, request.asked)
    frame = with_label(retrieve(manifest, reader, request, table), name, request.asked)
    return replace(frame, label_reach=reach_of(label)) if isinstance(label, Label) else frame


def historical(manifest: Manifest, reader: Reader, request: Request, spine: Any) -> FeatureFrame:
    """Return rows with their features as of each row's moment.

    Arguments are those of `training_set`.
    """
    return retrieve(manifest, reader, request, read_spine(spine))


def latest(
    manifest: Manifest, reader: Reader, request: Request, rows: Any, now: datetime
) -> FeatureFrame:
    """Return rows with their features as of now.

    Arguments are those of `training_set`.
    """
    return retrieve_latest(manifest, reader, request, read_spine(rows), now)
