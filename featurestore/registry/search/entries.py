"""`Entry`: what a search finds, and how much each of its words counts."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from types import MappingProxyType

from featurestore.credentials import without_credentials
from featurestore.definitions.model.manifest import Definition, Manifest
from featurestore.registry.features import View, features_of, views_of
from featurestore.registry.meaning import meaning_of
from featurestore.store.ledger.models import ModelRecord
from featurestore.store.training_sets.notes import TrainingSet

_WORD = re.compile(r"[^\W_]+")
# All beginnings of a word are looked at: those of a text in base64 would take gigabytes.
_LETTERS = 60
# How much a word counts, by the part of an entry that it is in.
_WEIGHTS = {"name": 12, "tags": 6, "view": 4, "owner": 4, "columns": 4, "description": 2}


@dataclass(frozen=True)
class Entry:
    """What a search finds. Its texts have no credentials.

    Args:
        kind: The kind of definition, ``"feature"``, ``"training set"`` or ``"model"``; ``"view"``
            for on-demand views too.
        name: Its name.
        view: The view of a feature.
        description: Its description, or its meaning.
        owner: Its owner; for a feature, that of its view; who saved or recorded it.
        tags: Its tags; for a feature, those of its view.
        columns: The names of its columns.
    """

    kind: str
    name: str
    _: KW_ONLY
    view: str = ""
    description: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


def words_of(text: str) -> list[str]:
    """Return the words of a text: runs of letters and digits, in lower case, of 60 at most.

    Example:
        >>> words_of("amount_sum_7d of Paid-out")
        ['amount', 'sum', '7d', 'of', 'paid', 'out']
    """
    return [word[:_LETTERS] for word in _WORD.findall(text.lower())]


def weights_of(entry: Entry) -> dict[str, int]:
    """Return the words of an entry, each with how much it counts.

    Example:
        >>> weights_of(Entry("view", "card_activity", owner="card"))
        {'card': 18, 'activity': 18}
    """
    weights: dict[str, int] = {}
    for word, weight in _words(entry):
        weights[word] = max(weight, weights.get(word, 0))
    return weights


def entries_of(
    manifest: Manifest,
    training_sets: Iterable[TrainingSet] = (),
    models: Iterable[ModelRecord] = (),
    columns: Mapping[str, Iterable[str]] = MappingProxyType({}),
) -> Iterator[Entry]:
    """Yield what can be found: views first, features last.

    Args:
        manifest: The definitions.
        training_sets: The newest version of each saved training set.
        models: All versions of each model, the oldest first.
        columns: Columns of sources beside those that definitions name, by the source's name.

    Example:
        >>> list(entries_of(Manifest()))
        []
    """
    for view in views_of(manifest):
        yield _entry("view", view, tuple(column.name for column in view.schema))
    for service in manifest.services:
        yield _entry("service", service)
    for entity in manifest.entities:
        yield _entry("entity", entity, tuple(key.name for key in entity.join_keys))
    for source in manifest.sources:
        roles = filter(None, source.roles.columns.values())
        fields = (column.name for column in getattr(source, "schema", ()))
        found = columns.get(source.name, ())
        yield _entry("source", source, tuple(dict.fromkeys((*roles, *fields, *found))))
    yield from map(_training_set, training_sets)
    yield from map(_model, {each.name: each for each in models}.values())
    for view in views_of(manifest):
        yield from _features(view)


def _words(entry: Entry) -> Iterator[tuple[str, int]]:
    name = words_of(entry.name)
    # A word counts more in a short name, so that the whole name's entry is the first.
    weight = _WEIGHTS["name"] + _WEIGHTS["name"] // max(1, len(name))
    yield from ((word, weight) for word in name)
    for part, text in (
        ("view", entry.view),
        ("owner", entry.owner),
        ("tags", " ".join(entry.tags)),
        ("columns", " ".join(entry.columns)),
        ("description", entry.description),
    ):
        yield from ((word, _WEIGHTS[part]) for word in words_of(text))


def _entry(kind: str, definition: Definition, columns: tuple[str, ...] = ()) -> Entry:
    return Entry(
        kind,
        definition.name,
        description=without_credentials(definition.description),
        owner=without_credentials(definition.owner),
        tags=tuple(map(without_credentials, definition.tags)),
        columns=columns,
    )


def _training_set(saved: TrainingSet) -> Entry:
    label = "" if saved.label is None else f" with the label {saved.label}"
    return Entry(
        "training set",
        saved.name,
        description=f"{saved.rows:,} rows of {', '.join(saved.selection)}{label}",
        owner=without_credentials(saved.created_by),
        columns=() if saved.label is None else (saved.label,),
    )


def _model(model: ModelRecord) -> Entry:
    learned = f"Learned from {model.training_set}"
    return Entry(
        "model",
        model.name,
        description=without_credentials(model.description) or learned,
        owner=without_credentials(model.recorded_by),
        tags=tuple(map(without_credentials, model.tags)),
        columns=(model.training_set,),
    )


def _features(view: View) -> Iterator[Entry]:
    whole = _entry("view", view)
    # PERF: the features of a column share its description.
    described = {column: without_credentials(column.description) for column in view.schema}
    for feature in features_of(view):
        own = "" if feature.column is None else described[feature.column]
        yield Entry(
            "feature",
            feature.name,
            view=view.name,
            description=". ".join(filter(None, (meaning_of(feature), own))),
            owner=whole.owner,
            tags=whole.tags,
        )
