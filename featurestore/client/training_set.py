"""Training sets: labelled spine rows with their features, as of each row's moment."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from featurestore.client.frame.frame import FeatureFrame, with_label
from featurestore.client.label import Label, add_label, timing_of
from featurestore.client.reader import Reader
from featurestore.client.request import Request
from featurestore.client.retrieve import retrieve
from featurestore.client.spines.read import read_spine
from featurestore.definitions.model.manifest import Manifest


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
    table, name = read_spine(spine), label if isinstance(label, str) else label.name
    spine_rows = table.num_rows
    if isinstance(label, Label):
        table = add_label(manifest, reader, request, table, label, now)
    # This first call only checks the label's name, before any table is read.
    with_label(FeatureFrame(table, ()), name, request.call)
    frame = with_label(retrieve(manifest, reader, request, table), name, request.call)
    if not isinstance(label, Label):
        return frame
    left_out = spine_rows - table.num_rows
    return replace(frame, label_timing=timing_of(label), immature_rows=left_out)
