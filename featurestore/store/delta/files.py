"""The data files of a snapshot, opened."""

from dataclasses import dataclass

import pyarrow.parquet as pq

from featurestore.store.delta.footer import Footer
from featurestore.store.delta.snapshot import Snapshot
from featurestore.store.paths import is_local


@dataclass(frozen=True)
class OpenFile:
    """A data file that is open, and its footer."""

    data: pq.ParquetFile
    footer: Footer


def open_file(snapshot: Snapshot, path: str, text_as_dictionary: tuple[str, ...] = ()) -> OpenFile:
    """Return a data file, open; its footer is read once a snapshot.

    Args:
        snapshot: The pinned table.
        path: As `Snapshot.files` names it.
        text_as_dictionary: Text columns to read as dictionaries, which is several times as fast
            where values repeat.
    """
    known = snapshot.footers.get(path)
    data = pq.ParquetFile(
        snapshot.filesystem.open_input_file(path),
        metadata=None if known is None else known.metadata,
        read_dictionary=list(text_as_dictionary),
        # Another thread that reads ahead hides what a network takes to answer, but fills the
        # wrong core's cache: from a disk it doubles the time.
        pre_buffer=not is_local(snapshot.uri),
    )
    footer = known or snapshot.footers.setdefault(path, Footer(data.metadata))
    return OpenFile(data, footer)
