"""The errors of a source whose columns a view cannot take, with the columns before and now."""

from collections.abc import Sequence
from dataclasses import dataclass

from featurestore.definitions.model.source import StoredSource
from featurestore.definitions.model.types import Field
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.files.task import lacks_column
from featurestore.errors import SourceError, nearest
from featurestore.jobs.contract.changes import Change, Schema
from featurestore.jobs.contract.comparison import side_by_side
from featurestore.jobs.contract.source import SourceColumns, type_text


@dataclass(frozen=True)
class Refusal:
    """Why a run does not begin.

    Args:
        view: The view.
        reason: The first sentence of the error.
        fix: What to do.
    """

    view: FeatureView
    reason: str
    fix: str

    def of(
        self, before: Schema, now: Schema, changes: Sequence[Change], *, is_recorded: bool = True
    ) -> SourceError:
        """Return the error, with the columns before and now.

        Args:
            before: The columns before.
            now: The columns now.
            changes: All differences.
            is_recorded: Whether a run has recorded the columns before. Else they are those that
                the definitions declare.
        """
        table = side_by_side(before, now, changes, head="before" if is_recorded else "declared")
        source = self.view.source
        call = (
            f"view {self.view.name!r} ({self.view.origin}) of source {source.name!r} "
            f"({source.origin})"
        )
        return SourceError(call, f"{self.reason}\n{table}", self.fix)


def definition_error(
    view: FeatureView,
    source: StoredSource,
    columns: SourceColumns,
    needed: tuple[str, Field | None],
) -> Refusal:
    """Return the refusal of a column that is not as the definitions say.

    Args:
        view: The view.
        source: Its source.
        columns: The columns of the source.
        needed: The column's name, and the field that declares its type.
    """
    name, field = needed
    where = f"file {columns.origin}: it" if columns.origin else f"source {source.name!r}"
    if name in columns.types:
        actual, declared = type_text(columns.types[name]), field.dtype if field else ""
        reason = f"{where} has column {name!r} as {actual}, and it is declared as {declared}"
        fix = (
            "Write the column with its old type. Or declare its type as it is now, or convert it "
            "in the view's transform, and run `featurestore plan` and `featurestore apply`."
        )
    elif columns.origin:
        problem = lacks_column(name, columns.types)
        reason, fix = f"file {columns.origin}: {problem.found}", problem.fix
    else:
        near = nearest(name, columns.types).rstrip(".")
        reason = f"{where} has no column {name!r} ({near})"
        fix = (
            "Write the column again. Or use another column in the definitions, and run "
            "`featurestore plan` and `featurestore apply`."
        )
    return Refusal(view, reason, fix)


def contract_error(view: FeatureView, source: StoredSource, columns: SourceColumns) -> Refusal:
    """Return the refusal of changes that the view's contract does not take.

    Args:
        view: The view.
        source: Its source.
        columns: The columns of the source.
    """
    where = f"file {columns.origin} of source" if columns.origin else "source"
    return Refusal(
        view,
        f"{where} {source.name!r} has other columns than before, and the view has "
        f"schema_contract={view.schema_contract!r}",
        "Undo the change in the source. Or, if it is intended, accept the columns of now: "
        f"`featurestore materialize {view.name} --accept-schema`, with --start and --end too if a "
        "range is computed again.",
    )
