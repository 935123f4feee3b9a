"""Training sets: labelled spine rows with their features, as of each row's moment."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from featurestore.client.frame.frame import FeatureFrame, with_label
from featurestore.client.label import Label, add_label, label_types, timing_of
from featurestore.client.reader import Reader
from featurestore.client.request import Request, compile_request
from featurestore.client.retrieve import retrieve
from featurestore.client.spines.read import read_rows
from featurestore.definitions.model.manifest import Manifest
from featurestore.errors import RequestError
from featurestore.query.requirements import spine_types


def training_set(
    manifest: Manifest,
    reader: Reader,
    request: Request,
    spine: Any,
    label: str | Label,
    now: datetime,
) -> FeatureFrame:
    """Return labelled rows with their features, as of each row's moment.

    Args:
        manifest: The applied definitions.
        reader: Reads the tables.
        request: The features, and the spine's time column and zone.
        spine: The rows, in any frame or file.
        label: A column of the spine, or a `Label` to compute.
        now: The present moment. A computed label is mature if its horizon and maturity ended
            before it.
    """
    name = label_name(label, request.call)
    types = spine_types(compile_request(manifest, request, spine))
    if isinstance(label, Label):
        types = label_types(manifest, request, label) | types
    rows = read_rows(spine, types)
    spine_rows = rows.table.num_rows
    if isinstance(label, Label):
        rows = add_label(manifest, reader, request, rows, label, now)
    # This first call only checks the label's name, before any table is read.
    with_label(FeatureFrame(rows.table, ()), name, request.call)
    frame = with_label(retrieve(manifest, reader, request, rows), name, request.call)
    if not isinstance(label, Label):
        return frame
    left_out = spine_rows - rows.table.num_rows
    return replace(frame, label_timing=timing_of(label), immature_rows=left_out)


def label_name(label: str | Label, call: str) -> str:
    """Return the name of a label column.

    Args:
        label: The name, or a computed label.
        call: The user's call, for messages.

    Raises:
        RequestError: The label is neither.

    Example:
        >>> label_name("is_fraud", "get_training_set")
        'is_fraud'
    """
    if isinstance(label, Label):
        return label.name
    if isinstance(label, str):
        return label
    raise RequestError(
        call,
        f"label is {label!r}",
        "Pass one column's name, or a Label. Other columns of the spine stay in the rows.",
    )
