"""What views are compared with, as a caller names it: a file, a training set, a run, a moment."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from featurestore.client.lineage.training_sets import load_training_set, saved_profile
from featurestore.client.profiles.frame import frame_profile
from featurestore.client.spines.read import read_spine
from featurestore.definitions.model.aggregation import value_types
from featurestore.definitions.model.drift import TRAINING_SET
from featurestore.definitions.model.types import DataType
from featurestore.definitions.model.view import FeatureView
from featurestore.errors import FeatureStoreError, NotFoundError, RequestError, SpineError, nearest
from featurestore.monitoring.profile import Profile
from featurestore.store.layout import Layout
from featurestore.store.training_sets.table import version_of
from featurestore.times import parse_duration, parse_moment_argument

WORDS = ("previous", "first")
_SUFFIXES = (".parquet", ".csv", ".json", ".jsonl", ".arrow", ".feather")


def moment_of(call: str, since: str | datetime | timedelta, now: datetime) -> datetime:
    """Return the moment that a caller means: a duration before now, or a moment.

    Args:
        call: The call, for messages.
        since: A duration such as ``"7d"``, or a moment.
        now: The present moment.

    Raises:
        RequestError: It is neither, or is not in the past.

    Example:
        >>> from datetime import UTC
        >>> moment_of("monitor()", "7d", datetime(2026, 1, 8, tzinfo=UTC)).day
        1
    """
    moment = _before(now, since)
    if moment is None:
        try:
            moment = parse_moment_argument(call, "since", since)  # type: ignore[arg-type]  # no duration
        except RequestError as error:
            raise RequestError(
                call, error.found, f"{error.fix} Or write a duration: '7d'."
            ) from None
    if moment >= now:
        raise RequestError(call, f"since is {since!r}, which is not in the past", "Write '7d'.")
    return moment


def _before(now: datetime, duration: object) -> datetime | None:
    try:
        micros = parse_duration(duration)  # type: ignore[arg-type]  # else it is an error
        return now - timedelta(microseconds=micros)
    except (RequestError, OverflowError):
        return None


def is_file(against: str) -> bool:
    """Return whether a caller means a file.

    Example:
        >>> is_file("training.parquet"), is_file("previous")
        (True, False)
    """
    is_word = against in WORDS or against.startswith(TRAINING_SET)
    return not is_word and (against.endswith(_SUFFIXES) or Path(against).exists())


def profile_of_file(path: str, views: Iterable[FeatureView], at: datetime) -> Profile:
    """Return the statistics of the columns of a file, such as a saved training set.

    Args:
        path: A Parquet, CSV, JSON-lines, Arrow or Feather file, or a Delta table's folder.
        views: The views whose features the file has: their types say what texts mean.
        at: The moment of the profile.

    Raises:
        SpineError: The file cannot be read.
    """
    types = _types(views)
    try:
        table = read_spine(path, types)
    except SpineError as error:
        found = error.found.replace("the spine", "the file")
        raise SpineError(f"monitor(against={path!r})", found, error.fix) from None
    # A training set has prefixes before names. Other columns may have any type.
    names = [name for name in table.column_names if name.endswith((*types,))]
    return frame_profile(table, names, personal=(), name=Path(path).name, at=at)


def profile_of_training_set(layout: Layout, name: str) -> Profile:
    """Return the statistics of the newest version of a saved training set.

    They are noted since it was saved. Those of an older release are computed from its rows.

    Args:
        layout: The addresses of the tables.
        name: Its name.

    Raises:
        NotFoundError: There is no such training set.
        TableError: Its table is damaged.
    """
    saved = version_of(layout, name, None, f"monitor(against={TRAINING_SET + name!r})")
    noted = saved_profile(saved)
    return noted or load_training_set(layout, name, None).profile(name)


def profiles_of_training_sets(layout: Layout) -> Callable[[str], Profile | None]:
    """Return what finds the profiles of training sets, each read once.

    Args:
        layout: The addresses of the tables.
    """
    loaded: dict[str, Profile | None] = {}

    def find(name: str) -> Profile | None:
        if name not in loaded:
            try:
                loaded[name] = profile_of_training_set(layout, name)
            except FeatureStoreError:  # the observation says that there is none
                loaded[name] = None
        return loaded[name]

    return find


def require_run(call: str, argument: str, run: str, known: Mapping[str, object]) -> None:
    """Check that a run has a profile.

    Args:
        call: The call, for messages.
        argument: The argument that names the run.
        run: Its id.
        known: The runs that have a profile.

    Raises:
        NotFoundError: It has none.
    """
    if run not in known:
        words = (*WORDS, f"{TRAINING_SET}NAME")
        others = "" if argument == "run" else f" Or write {', '.join(words)}, or a file's path."
        fix = f"{nearest(run, known)}{others}"
        raise NotFoundError(call, f"{argument} is {run!r}, and no such run has a profile", fix)


def _types(views: Iterable[FeatureView]) -> dict[str, DataType]:
    """Return the types of the features and of the columns that views store."""
    types: dict[str, DataType] = {}
    for view in views:
        own = value_types((*view.join_keys, *view.schema), view.aggregations)
        types |= {name: dtype for name, dtype in own.items() if dtype is not None}
    return types
