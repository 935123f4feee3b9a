"""What happened to each of Feast's definitions: translated, changed in meaning, or left out."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Literal

Kind = Literal["translated", "changed", "left out"]
_WIDTH = 88


@dataclass(frozen=True)
class Note:
    """One sentence about one of Feast's definitions.

    Args:
        kind: ``"translated"``: it means the same. ``"changed"``: it is there, and means something
            else. ``"left out"``: it is not there.
        subject: The definition, such as ``"view driver_stats"``.
        reason: What is different, or why it is not there; ``""`` for what means the same.
    """

    kind: Kind
    subject: str
    reason: str = ""


@dataclass
class Notes:
    """The notes of one translation, in the order of the definitions."""

    notes: list[Note] = field(default_factory=list)

    def translated(self, subject: str) -> None:
        """Add that a definition is there."""
        self.notes.append(Note("translated", subject))

    def changed(self, subject: str, reason: str) -> None:
        """Add that a definition is there with another meaning."""
        self.notes.append(Note("changed", subject, reason))

    def left_out(self, subject: str, reason: str) -> None:
        """Add that a definition, or a part of it, is not there."""
        self.notes.append(Note("left out", subject, reason))

    def of(self, subject: str) -> list[Note]:
        """Return the notes with a reason about one definition."""
        return [note for note in self.notes if note.subject == subject and note.reason]


def comment_lines(notes: list[Note]) -> Iterator[str]:
    """Yield the lines of a comment with the reasons.

    Example:
        >>> list(comment_lines([Note("changed", "view a", "The ttl is whole seconds.")]))
        ['# Changed: The ttl is whole seconds.']
    """
    for note in notes:
        text = f"{note.kind.capitalize()}: {note.reason}"
        yield from wrap(
            text,
            _WIDTH,
            initial_indent="# ",
            subsequent_indent="#   ",
            break_long_words=False,
            break_on_hyphens=False,
        )
