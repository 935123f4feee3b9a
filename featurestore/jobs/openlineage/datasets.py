"""The datasets of a run, as OpenLineage names and describes them."""

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.facet_v2 import (
    column_lineage_dataset,
    data_quality_assertions_dataset,
    dataset_version_dataset,
    input_statistics_input_dataset,
    output_statistics_output_dataset,
    schema_dataset,
)
from openlineage.client.generated.base import (
    DatasetFacet,
    InputDatasetFacet,
    OutputDatasetFacet,
)

from featurestore.credentials import without_credential_forms
from featurestore.definitions.code.expectations import declared_expectations
from featurestore.definitions.model.references import manifest_of
from featurestore.definitions.model.source import DeltaSource, FileSource
from featurestore.definitions.model.view import FeatureView
from featurestore.errors import FeatureStoreError
from featurestore.registry.lineage.columns import (
    SourceColumn,
    SourceColumns,
    column_lineage,
    query_of,
)
from featurestore.store.columns import EVENT_TIME
from featurestore.store.commit import newest_batch
from featurestore.store.layout import Layout
from featurestore.store.ledger.runs import RunRecord
from featurestore.store.paths import catalog_table

Columns = Sequence[tuple[str, str]]
"""Names and types of columns; the type is empty where it is not known."""


def dataset_name(uri: str) -> tuple[str, str]:
    """Return the namespace and the name of a table or a folder, by the rules of OpenLineage.

    The name has the values of environment variables: other tools must find the same dataset.

    Source: https://openlineage.io/docs/spec/naming

    Args:
        uri: Its address. Users, passwords and what has the form of a credential are left out.

    Example:
        >>> dataset_name("/data/paid"), dataset_name("s3://shop/raw/paid")
        (('file', '/data/paid'), ('s3://shop', 'raw/paid'))
        >>> dataset_name("abfss://raw@lake.dfs.core.windows.net/paid")
        ('abfss://raw@lake.dfs.core.windows.net', 'paid')
    """
    if name := catalog_table(uri):
        return "catalog", name
    text = without_credential_forms(uri)
    if "://" not in text:  # a folder, whose name may have "#" or "?"
        return "file", text.removeprefix("file:")
    parts = urlsplit(text)
    if parts.scheme == "file":
        return "file", parts.path
    user, _, host = parts.netloc.rpartition("@")
    # Azure's addresses have the container in the place of the user.
    is_container = parts.scheme.startswith(("abfs", "wasb")) and ":" not in user
    namespace = parts.netloc if is_container else host
    return f"{parts.scheme}://{namespace}", parts.path.lstrip("/")


def input_of(layout: Layout, view: FeatureView, record: RunRecord) -> InputDataset:
    """Return the source of a run, or the table of its upstream view; of a release, the quarantine.

    Args:
        layout: The addresses of the tables.
        view: The view.
        record: The run.
    """
    uri, columns = _source_uri(layout, view), _source_columns(layout, view, record)
    if record.kind == "release":
        uri, columns = layout.quarantine(view.name, record.table_id), _stored_columns(view)
    namespace, name = dataset_name(uri)
    facets: dict[str, DatasetFacet] = {"schema": _schema(columns)}
    if record.status == "running":
        return InputDataset(namespace, name, facets=facets)
    statistics = input_statistics_input_dataset.InputStatisticsInputDatasetFacet
    checks = _assertions(view, record)
    of_run: dict[str, InputDatasetFacet] = {
        "inputStatistics": statistics(rowCount=record.outcome.rows_in),
        **({"dataQualityAssertions": checks} if checks.assertions else {}),
    }
    return InputDataset(namespace, name, facets=facets, inputFacets=of_run)


def output_of(layout: Layout, view: FeatureView, record: RunRecord) -> OutputDataset:
    """Return the feature table of a run. All builds of a view are one dataset.

    Args:
        layout: The addresses of the tables.
        view: The view.
        record: The run.
    """
    namespace, name = dataset_name(layout.builds(view.name))
    facets: dict[str, DatasetFacet] = {
        "schema": _schema(_stored_columns(view)),
        "columnLineage": _lineage(layout, view),
    }
    if record.status == "running":
        return OutputDataset(namespace, name, facets=facets)
    if record.outcome.version is not None:
        version = f"{record.table_id}/{record.outcome.version}"
        facets["version"] = dataset_version_dataset.DatasetVersionDatasetFacet(version)
    statistics = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet
    of_run: dict[str, OutputDatasetFacet] = {
        "outputStatistics": statistics(rowCount=record.outcome.rows_out)
    }
    return OutputDataset(namespace, name, facets=facets, outputFacets=of_run)


def _source_uri(layout: Layout, view: FeatureView) -> str:
    if isinstance(view.source, FeatureView):
        return layout.builds(view.source.name)
    return layout.source(getattr(view.source, "location", ""))


def _source_columns(layout: Layout, view: FeatureView, record: RunRecord) -> Columns:
    """Return the columns that the newest batch has found; before it, those that are declared."""
    if isinstance(view.source, FeatureView):
        return _stored_columns(view.source)
    if found := _found_columns(layout, record):
        return found
    source = view.source
    if isinstance(source, FileSource) and source.schema:
        return [(field.name, str(field.dtype)) for field in source.schema]
    names = column_lineage(manifest_of([view])).columns.get(source.name, ())
    return [(name, "") for name in names]


def _found_columns(layout: Layout, record: RunRecord) -> Columns:
    """Return the source's columns in the notes of the newest batch; none without a batch."""
    if not record.table_id:
        return ()
    try:
        batch = newest_batch(layout.features(record.view, record.table_id))
    except FeatureStoreError:  # a damaged table; the event of its failed run is sent all the same
        return ()
    columns = None if batch is None else batch.notes.source_columns
    return [(column[0], column[1]) for column in columns or ()]


def _stored_columns(view: FeatureView) -> Columns:
    fields = [*view.join_keys, *view.schema]
    return [*((each.name, str(each.dtype)) for each in fields), (EVENT_TIME, "Timestamp")]


def _schema(columns: Columns) -> schema_dataset.SchemaDatasetFacet:
    field = schema_dataset.SchemaDatasetFacetFields
    return schema_dataset.SchemaDatasetFacet(
        fields=[field(name=name, type=dtype or None) for name, dtype in columns]
    )


def _lineage(
    layout: Layout, view: FeatureView
) -> column_lineage_dataset.ColumnLineageDatasetFacet:
    """Return the source columns of each stored column, as far as the definitions show them.

    Those that decide which rows there are, also as columns of an expectation, are indirect.
    """
    source = view.source
    if isinstance(source, FeatureView):  # the rows of its table are the source
        path = layout.builds(source.name)
        source = DeltaSource(source.name, path=path, timestamp_field=EVENT_TIME)
    declared = declared_expectations(view)
    stored = replace(view, source=source, aggregations=(), expectations=declared)
    made = column_lineage(manifest_of([stored]))
    namespace, name = dataset_name(_source_uri(layout, view))
    decide_rows = made.views[view.name]
    fields = {
        column: column_lineage_dataset.Fields(
            inputFields=_input_fields(namespace, name, inputs, "DIRECT")
        )
        for column, inputs in _direct(stored, made.columns.get(source.name, ())).items()
        if inputs
    }
    return column_lineage_dataset.ColumnLineageDatasetFacet(
        fields=fields,
        dataset=_input_fields(namespace, name, decide_rows.rows, "INDIRECT"),
    )


def _direct(view: FeatureView, known: Sequence[str]) -> dict[str, SourceColumns]:
    """Return the source columns from which each stored column is computed, keys and time too.

    Args:
        view: The view.
        known: The columns of its source, as its definition spells them.
    """
    query, time = query_of(view), view.source_roles.columns["timestamp_field"]
    if query is None:
        return {}
    spelled = {name.lower(): name for name in known}
    names = {each.name: each.name for each in (*view.join_keys, *view.schema)}
    names |= {} if time is None else {EVENT_TIME: time}
    return {
        column: frozenset(
            SourceColumn(view.source.name, spelled.get(each.lower(), each))
            for each in query.values[name]
        )
        for column, name in names.items()
    }


def _input_fields(
    namespace: str, name: str, columns: SourceColumns, kind: str
) -> list[column_lineage_dataset.InputField]:
    transformation = column_lineage_dataset.Transformation(type=kind)
    return [
        column_lineage_dataset.InputField(
            namespace=namespace, name=name, field=each.column, transformations=[transformation]
        )
        for each in sorted(columns)
    ]


def _assertions(
    view: FeatureView, record: RunRecord
) -> data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet:
    """Return the checks of the view's expectations, with what the run has found.

    A run that failed before it had stored a batch has not checked its rows.
    """
    declared = declared_expectations(view)
    known = declared is not None and bool(record.outcome.batches or record.outcome.failures)
    assertion = data_quality_assertions_dataset.Assertion
    return data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(
        assertions=[
            assertion(
                assertion=check.name.rpartition(":")[2],
                success=not record.outcome.failures.get(check.name),
                column=_column(view, check.name),
                severity="warn" if check.severity == "warn" else "error",
                name=check.name,
                actual=f"{record.outcome.failures.get(check.name, 0)} rows failed",
                params=None,
            )
            for check in (declared.checks if known and declared else ())
        ]
    )


def _column(view: FeatureView, check: str) -> str | None:
    name = check.partition(":")[0]
    return name if any(name == column for column, _ in _stored_columns(view)) else None
