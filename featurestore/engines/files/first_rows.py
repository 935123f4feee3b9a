"""The first rows of a source's newest file, read as a run reads them, with every problem in them.

A run stops at the first problem. A look before the run names the problems of all columns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import pyarrow as pa

from featurestore.definitions.model.source import FileSource, format_of
from featurestore.engines.files.plan import UsedColumns, plan_files, units
from featurestore.engines.files.problem import FileProblemError, source_error
from featurestore.engines.files.read import folder_column, opening_problem, rows_of_file
from featurestore.engines.files.task import FileRows, FileTask, FileUnit, converted
from featurestore.store.source_files import SourceFile, folder_values

_ONE_BLOCK = 1 << 20  # a file of fewer bytes is read to its end


@dataclass(frozen=True)
class FirstRows:
    """The first rows of a file.

    Args:
        file: The file's name below the source's folder.
        columns: The values of each column without a problem, in its declared type; times of a
            text file are texts.
        problems: The problems of the other columns.
    """

    file: str
    columns: Mapping[str, pa.Array]
    problems: Mapping[str, FileProblemError]


def first_rows(
    source: FileSource, files: Sequence[SourceFile], columns: UsedColumns | None = None
) -> FirstRows:
    """Return the first rows of the newest of some files.

    Args:
        source: The source.
        files: The files, at least one. The footers of older Parquet files are not read.
        columns: As of `plan_files`.

    Raises:
        SourceError: No row of the file can be read as the source declares.
    """
    newest = max(files, key=lambda file: (file.modified_at, file.path))
    formats = {source.file_format} if source.file_format else {format_of(f.name) for f in files}
    task = plan_files(source, [newest] if formats == {"parquet"} else files, columns)
    unit = units([newest], task)[0]
    looked_at = replace(task, lazy=tuple(task.schema.names))
    try:
        blocks = 2 if newest.size < _ONE_BLOCK else 1
        parts = list(islice(rows_of_file(looked_at, unit), blocks))
    except (FileProblemError, OSError) as error:
        problem = error if isinstance(error, FileProblemError) else opening_problem(error)
        raise source_error(problem, task.call, unit.address) from None
    folders = _of_folders(looked_at, unit)
    columns = {name: values for part in parts for name, values in part.columns.items()}
    problems = {name: problem for part in parts for name, problem in part.reasons.items()}
    # Without a value in the file, the folder's counts.
    problems = {name: each for name, each in problems.items() if name not in folders.columns}
    return FirstRows(
        unit.name,
        {
            name: values
            for name, values in {**folders.columns, **columns}.items()
            if name not in problems
        },
        {**folders.reasons, **problems},
    )


def _of_folders(task: FileTask, unit: FileUnit) -> FileRows:
    """Return the columns of the folders' names, as one row."""
    values = folder_values(unit.name)
    fields = [field for field in task.fields if field.name in values]
    return converted(
        fields, lambda field: folder_column(field.name, values[field.name], field.dtype), 1, task
    )
