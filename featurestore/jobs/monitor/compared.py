"""The two profiles of a column that are compared, or why there are not two."""

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime

from featurestore.definitions.model.drift import TRAINING_SET
from featurestore.definitions.model.view import FeatureView
from featurestore.monitoring.merge import merged
from featurestore.monitoring.profile import ColumnProfile, Profile, ProfileKind

# Answers of sampled keys are what a model reads; the rows of a run are only the new ones.
_KINDS: tuple[ProfileKind, ...] = ("features", "rows", "table")
_ONLY_ONE = "there is no profile before the newest one"
_NEXT_RUN = "Each run of `featurestore materialize` that stores rows records a profile."
_NEXT_OF_FEATURES = (
    "The first two runs of a build that store rows record a profile of its window features, later "
    "ones once an hour, or as soon as the table has 5 % more rows."
)


@dataclass(frozen=True)
class Comparison:
    """What a caller wants to have compared, if not what the view declares.

    Args:
        now: The present moment.
        against: ``previous``, ``first``, ``training_set:NAME`` or the id of a run. None for what
            the view declares.
        run: The run whose profile is compared. None for the newest one.
        since: Compare the profiles since this moment, as one, with those of the same time before,
            and look for missing runs since then. None for the newest profiles, and for one day.
        baseline: The profile of a file, to compare with in place of ``against``.
        undeclared: Whether features without thresholds are compared too, each with the previous
            profile, if the caller wants no comparison of its own.
    """

    now: datetime
    _: KW_ONLY
    against: str | None = None
    run: str | None = None
    since: datetime | None = None
    baseline: Profile | None = None
    undeclared: bool = False

    @property
    def is_asked(self) -> bool:
        """Whether a caller wants a comparison of its own."""
        return any((self.against, self.run, self.since, self.baseline))


@dataclass(frozen=True)
class ViewProfiles:
    """The profiles of one view.

    Args:
        view: The view.
        profiles: Its profiles, the oldest first.
        training_set: Returns the newest profile of a saved training set; None if there is none.
        prefixes: What services write before the names of its features.
    """

    view: FeatureView
    _: KW_ONLY
    profiles: Sequence[Profile]
    training_set: Callable[[str], Profile | None]
    prefixes: Sequence[str] = ("",)


@dataclass(frozen=True)
class ComparedColumn:
    """One of the two profiles of a column.

    Args:
        label: What it is the profile of, for messages.
        column: The profile; None if there is none.
        missing: Why there is none.
        fix: How there will be one; empty where that is not known.
        later_rows: How many rows at least were stored since it was made, and are not in it.
    """

    label: str
    column: ColumnProfile | None = None
    missing: str = ""
    fix: str = ""
    later_rows: int = 0


Series = Sequence[tuple[Profile, ColumnProfile]]
"""The profiles of one column, each with the profile that it is a part of, the oldest first."""


def series(own: ViewProfiles, feature: str) -> Series:
    """Return the profiles of a column: those of answers, or else those of the rows of runs.

    Args:
        own: The profiles of a view.
        feature: The feature, or a column of the view's schema.
    """
    found = [(each, column) for each in own.profiles if (column := column_of(each, feature))]
    kinds = {profile.kind for profile, _ in found}
    kind = next((kind for kind in _KINDS if kind in kinds), None)
    return [(profile, column) for profile, column in found if profile.kind == kind]


def column_of(profile: Profile, name: str) -> ColumnProfile | None:
    """Return the profile of one column; None if there is none.

    Example:
        >>> from datetime import UTC
        >>> empty = Profile("activity", run_id="r1", build_id="b1", kind="rows", columns=(),
        ...                 at=datetime(2026, 1, 1, tzinfo=UTC))
        >>> column_of(empty, "amount") is None
        True
    """
    return next((each for each in profile.columns if each.column == name), None)


def newer_column(
    own: ViewProfiles, feature: str, found: Series, comparison: Comparison
) -> ComparedColumn:
    """Return the side that is compared with something earlier.

    Args:
        own: The profiles of a view.
        feature: The column.
        found: The profiles of a column.
        comparison: What to compare.
    """
    if comparison.since is not None:
        inside = [pair for pair in found if pair[0].at >= comparison.since]
        return _together(inside, f"since {time_text(comparison.since)}")
    if comparison.run is not None:
        return _of_run(found, comparison.run)
    if not found:
        missing = "there is no profile of it yet"
        return ComparedColumn("", missing=missing, fix=_next(own, feature))
    newest, column = found[-1]
    return ComparedColumn(time_text(newest.at), column, later_rows=_later_rows(own, newest))


def earlier_column(
    own: ViewProfiles, feature: str, found: Series, against: str, comparison: Comparison
) -> ComparedColumn:
    """Return the side that the newer one is compared with.

    Args:
        own: The profiles of a view.
        feature: The column.
        found: The column's profiles.
        against: ``previous``, ``first``, ``training_set:NAME`` or the id of a run.
        comparison: What to compare.
    """
    if comparison.baseline is not None:
        return _of_training_set(own, feature, comparison.baseline)
    if against.startswith(TRAINING_SET):
        name = against.removeprefix(TRAINING_SET)
        profile = own.training_set(name)
        if profile is None:
            missing = f"there is no training set {name!r} that can be read"
            return ComparedColumn(
                against, missing=missing, fix="See `featurestore training-sets`."
            )
        return _of_training_set(own, feature, profile)
    if against == "previous":
        return _previous(found, comparison, _next(own, feature))
    if against == "first":
        if len(found) < 2:
            return ComparedColumn("first", missing=_ONLY_ONE, fix=_next(own, feature))
        return ComparedColumn(f"the first, {time_text(found[0][0].at)}", found[0][1])
    return _of_run(found, against)


def time_text(moment: datetime) -> str:
    """Return a moment for messages.

    Example:
        >>> from datetime import UTC
        >>> time_text(datetime(2026, 1, 31, 9, 30, tzinfo=UTC))
        '2026-01-31 09:30'
    """
    return f"{moment:%Y-%m-%d %H:%M}"


def _next(own: ViewProfiles, feature: str) -> str:
    """Return when the next profile of a column is recorded."""
    of_windows = own.view.aggregations and feature in own.view.feature_names
    return _NEXT_OF_FEATURES if of_windows else _NEXT_RUN


def _later_rows(own: ViewProfiles, profile: Profile) -> int:
    """Return how many rows at least were stored since a profile of window features was made.

    Not all profiles are read. Without that of the table after the same run, those of later runs
    are summed up that are.
    """
    if profile.kind != "features":
        return 0
    tables = [each for each in own.profiles if each.kind == "table"]
    for then in tables:
        if then.run_id == profile.run_id:
            return max(0, tables[-1].rows - then.rows)
    later = (each for each in own.profiles if each.kind == "rows" and each.at > profile.at)
    return sum(each.rows for each in later)


def _previous(found: Series, comparison: Comparison, next_one: str) -> ComparedColumn:
    if comparison.since is not None:
        start = comparison.since - (comparison.now - comparison.since)
        before = [pair for pair in found if start <= pair[0].at < comparison.since]
        return _together(before, f"from {time_text(start)} to {time_text(comparison.since)}")
    runs = [profile.run_id for profile, _ in found]
    newer = runs.index(comparison.run) if comparison.run in runs else len(found) - 1
    if newer < 1:
        return ComparedColumn("previous", missing=_ONLY_ONE, fix=next_one)
    profile, column = found[newer - 1]
    return ComparedColumn(f"the previous, {time_text(profile.at)}", column)


def _of_training_set(own: ViewProfiles, feature: str, profile: Profile) -> ComparedColumn:
    names = [f"{prefix}{feature}" for prefix in own.prefixes]
    columns = (column_of(profile, name) for name in (feature, *names))
    column = next((each for each in columns if each is not None), None)
    return ComparedColumn(
        profile.view, column, f"{profile.view} has no column {' or '.join(names)}"
    )


def _of_run(found: Series, run: str) -> ComparedColumn:
    columns = [column for profile, column in found if profile.run_id == run]
    if not columns:
        return ComparedColumn(run, missing=f"the run {run!r} has no profile of it")
    return ComparedColumn(f"the run {run}", columns[-1])


def _together(pairs: Series, label: str) -> ComparedColumn:
    if not pairs:
        return ComparedColumn(label, missing=f"there is no profile of it {label}", fix=_NEXT_RUN)
    newest = pairs[-1][1].type  # a build may have changed the type
    return ComparedColumn(label, merged([column for _, column in pairs if column.type == newest]))
