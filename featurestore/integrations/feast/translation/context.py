"""What a translation knows so far: names, notes, and the definitions that are written."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field

from featurestore.integrations.feast.translation.columns import Record
from featurestore.integrations.feast.translation.names import Names, plain
from featurestore.integrations.feast.translation.notes import Notes, comment_lines
from featurestore.integrations.feast.translation.python_text import Call, assigned

_IMPORTS = {"fs": "import featurestore as fs", "pa": "import pyarrow as pa"}


@dataclass(frozen=True)
class Key:
    """An entity that is written.

    Args:
        variable: Its variable.
        name: The name of its join key.
        dtype: The key's type, as Python.
        feast: Feast's name of the join key.
    """

    variable: str
    name: str
    _: KW_ONLY
    dtype: str
    feast: str


@dataclass(frozen=True)
class ViewColumn:
    """A column of a view.

    Args:
        name: Its name.
        feast: Feast's name of it.
        stored: Its name in the source's files.
        field: Its declaration.
    """

    name: str
    _: KW_ONLY
    feast: str
    stored: str
    field: Call


@dataclass(frozen=True)
class View:
    """A view, or an on-demand view, that is written.

    Args:
        variable: Its variable.
        features: Our names of its features, by Feast's.
        keys: The columns that the spine must have for it, such as its join keys.
    """

    variable: str
    _: KW_ONLY
    features: Mapping[str, str]
    keys: tuple[str, ...] = ()


@dataclass
class Context:
    """One translation.

    Args:
        repository: The repository, as the program in Feast's environment wrote it.
        folder: The repository's folder, relative to the project's, or absolute.
        names: The names of the module that is written.
        notes: What is different in each definition.
        imports: The import statements of the module.
        blocks: The definitions and functions that are written, in order.
        functions: The statements that functions of on-demand views need, by the names that they
            give; so the imports of the module.
        keys: The written entities, by Feast's names; so are the sources and views.
        sources: The variables of the written sources.
        views: The written views and on-demand views.
        written: The subjects of all definitions that are written.
        taken: The names of the written definitions, by kinds whose names differ.
    """

    repository: Record
    folder: str
    names: Names = field(default_factory=Names)
    notes: Notes = field(default_factory=Notes)
    imports: set[str] = field(default_factory=lambda: {_IMPORTS["fs"]})
    blocks: list[str] = field(default_factory=list)
    functions: dict[str, str] = field(default_factory=lambda: dict(_IMPORTS))
    keys: dict[str, Key] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    taken: dict[str, set[str]] = field(default_factory=dict)

    def records(self, section: str) -> Sequence[Record]:
        """Return the definitions of a kind."""
        found: Sequence[Record] = self.repository.get(section, ())
        return found

    def name(self, kind: str, subject: str, feast: str) -> str:
        """Return the name of a definition, and note it if Feast has another one.

        Args:
            kind: ``"entity"``, ``"source"``, ``"view"`` or ``"service"``: names of a kind differ.
            subject: The definition, for notes.
            feast: Feast's name of it.
        """
        wished, taken = plain(feast), self.taken.setdefault(kind, set())
        names = (wished, *(f"{wished[:58]}_{n}" for n in range(2, 1_000)))
        name = next(each for each in names if each not in taken)
        taken.add(name)
        if name != feast:
            self.notes.changed(subject, f"Its name is {name!r} here.")
        return name

    def write(self, subject: str, variable: str, call: Call) -> None:
        """Add a definition, below the comments with what is different in it."""
        self.written.add(subject)
        if not self.notes.of(subject):
            self.notes.translated(subject)
        comments = [*comment_lines(self.notes.of(subject)), assigned(variable, call)]
        self.blocks.append("\n".join(comments))
