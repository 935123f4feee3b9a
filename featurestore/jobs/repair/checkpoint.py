"""The checkpoint of a repaired table: a copy of the stream's, so that the stream goes on."""

from featurestore.engines.spark.source.checkpoint_owner import OWNER_FILE, record_owner
from featurestore.engines.spark.source.file_log import FileBatch, FileLog
from featurestore.jobs.repair.position import Position
from featurestore.store.commit import CommitNotes
from featurestore.store.file_system import list_names, read_text, write_text
from featurestore.store.source_files import FilePath

_ENDED = 'v1\n{"nextBatchWatermarkMs":0}'
_FOLDERS = ("", "/offsets", "/commits", "/sources/0")


def continue_checkpoint(
    old: str, new: str, position: Position, newest: CommitNotes, log: FileLog, uri: str
) -> None:
    """Copy a checkpoint, and add the batch of a changed source to the copy.

    Batches that have begun since the repair looked are left out, also if they have ended: the new
    table has no row of them, so its stream must read them.

    Args:
        old: The address of the present table's checkpoint.
        new: The address of the copy.
        position: What the repair has read.
        newest: The notes of the present table's newest batch.
        log: The log of files in the copy, for the run of the repair.
        uri: The source's address.
    """
    record_owner(new, newest.view)
    for folder in _FOLDERS:
        for name in list_names(f"{old}{folder}"):
            is_copied = not name.startswith(".") and name != OWNER_FILE
            text = read_text(f"{old}{folder}/{name}") if is_copied else None
            if text is not None and not _is_later(folder, name, position):
                write_text(f"{new}{folder}/{name}", text)
    if position.files:
        # A run may have been killed after its commit: this ends its batch.
        next(log.new_batches(FilePath(uri), newest), None)
    if position.is_changed:
        _add_batch(new, position, log)


def _is_later(folder: str, name: str, position: Position) -> bool:
    # The log of files is copied whole: a later part may repeat the earlier ones in their place.
    # It counts no file of a batch that has not ended.
    number = name.partition(".")[0]
    return folder in ("/offsets", "/commits") and number.isdigit() and int(number) > position.last


def _add_batch(checkpoint: str, position: Position, log: FileLog) -> None:
    if position.files:  # the changed ones, as they are now
        batch = FileBatch(position.batch_id, position.changed)
        log.begin(batch)
        log.end(batch, rows=1)  # the table has a commit of it
        return
    before = (read_text(f"{checkpoint}/offsets/{position.last}") or "").splitlines()
    lines = (*before[:-1], position.source_offset or "")
    for number in range(position.last + 1, position.batch_id + 1):
        write_text(f"{checkpoint}/offsets/{number}", "\n".join(lines))
        write_text(f"{checkpoint}/commits/{number}", _ENDED)
