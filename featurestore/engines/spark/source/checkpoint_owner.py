"""The build that a stream's checkpoint belongs to, by a small file of ours in its folder.

Somebody may put a checkpoint in the place of another one, from a wrong copy for example. It counts
files and versions as read that this build has not read. So it counts as no checkpoint. Its address
says whose it must be: it ends with the build and the generation. Spark ignores the file.
"""

import json
from dataclasses import KW_ONLY, dataclass

from featurestore.errors import ConflictError
from featurestore.store.file_system import read_text, write_text
from featurestore.store.paths import is_folder_name

OWNER_FILE = "featurestore.json"


@dataclass(frozen=True)
class CheckpointOwner:
    """What a checkpoint belongs to.

    Args:
        view: The name of the view.
        table_id: The build of the view's table.
        generation: The generation of the checkpoint.
    """

    view: str
    _: KW_ONLY
    table_id: str
    generation: int


def record_owner(checkpoint: str, view: str) -> None:
    """Write whose checkpoint it is, before its first batch. One that is recorded stays as it is.

    Args:
        checkpoint: The address of the checkpoint, by `Layout.checkpoint`.
        view: The name of the view.

    Raises:
        ConflictError: It is another build's: it was put there since the run has looked.
    """
    if other := other_owner(checkpoint):
        raise ConflictError(
            f"materialize view {view!r}",
            f"the checkpoint at {checkpoint} has become that of view {other.view!r}",
            f"Find out what writes there, and run `featurestore materialize {view}` again.",
        )
    if owner_of(checkpoint) is not None:
        return
    table_id, generation = _build_of(checkpoint)
    fields = {"view": view, "table_id": table_id, "generation": int(generation)}
    write_text(f"{checkpoint}/{OWNER_FILE}", json.dumps(fields))


def owner_of(checkpoint: str) -> CheckpointOwner | None:
    """Return whose checkpoint it is; None if its folder does not say so.

    A checkpoint of an earlier release has no such file. One that a loss of power has cut says
    nothing, either.

    Example:
        >>> owner_of("no/such/checkpoint") is None
        True
    """
    try:
        fields = json.loads(read_text(f"{checkpoint}/{OWNER_FILE}") or "{}")
        view, table_id = str(fields["view"]), str(fields["table_id"])
        generation = int(fields["generation"])
    except (ValueError, KeyError, TypeError):
        return None
    is_known = is_folder_name(table_id)
    return CheckpointOwner(view, table_id=table_id, generation=generation) if is_known else None


def other_owner(checkpoint: str) -> CheckpointOwner | None:
    """Return whose checkpoint is in the place of a build's own one; None if it is the build's.

    Example:
        >>> other_owner("no/such/checkpoint") is None
        True
    """
    owner = owner_of(checkpoint)
    if owner is None or (owner.table_id, str(owner.generation)) == _build_of(checkpoint):
        return None
    return owner


def _build_of(checkpoint: str) -> tuple[str, str]:
    """Return the build and the generation that an address ends with."""
    _, table_id, generation = checkpoint.rstrip("/").rsplit("/", 2)
    return table_id, generation
