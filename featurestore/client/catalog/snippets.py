"""Snippets that retrieve a feature or a service: Python, the command line, and SQL."""

import json
import shlex
from collections.abc import Sequence

from featurestore.credentials import without_credentials
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.service import FeatureService
from featurestore.definitions.model.types import Field
from featurestore.definitions.model.view import FeatureView
from featurestore.quoting import delta_text, duckdb_name
from featurestore.registry.features import Feature
from featurestore.store.columns import EVENT_TIME
from featurestore.store.layout import Layout

# An example of each type of a key, as Python and as the command line write it.
_EXAMPLES = {
    "Int32": ("7", "7"),
    "Int64": ("7", "7"),
    "Boolean": ("True", "true"),
    "Date": ("datetime.date(2026, 1, 31)", "2026-01-31"),
    "Float32": ("1.5", "1.5"),
    "Float64": ("1.5", "1.5"),
}
_TEXT = ('"a1"', "a1")
_SPINE = "spine.parquet: your rows that need features, with the columns"


def feature_snippets(feature: Feature, layout: Layout) -> dict[str, str]:
    """Return the snippets of a feature by their language; no SQL without a ``latest`` table."""
    name = f"{feature.view.name}:{feature.name}"
    inputs = _inputs(feature.view)
    snippets = _reading(name, inputs, f"[{_literal(name)}]")
    if isinstance(feature.view, FeatureView) and feature.view.latest:
        columns = [*(key.name for key in feature.view.join_keys), feature.name]
        table = delta_text(without_credentials(layout.latest(feature.view.name)))
        chosen = ", ".join(map(duckdb_name, columns))
        refresh = f"featurestore materialize {shlex.quote(feature.view.name)} --latest"
        note = f"-- As of the last run. After a change of the features: {refresh}"
        snippets["sql"] = "\n".join((note, f"SELECT {chosen}", f"FROM delta_scan({table})"))
    return snippets


def view_snippets(view: FeatureView | OnDemandFeatureView) -> dict[str, str]:
    """Return the snippets of all features of a view by their language."""
    return _reading(view.name, _inputs(view), _literal(view.name))


def service_snippets(service: FeatureService) -> dict[str, str]:
    """Return the snippets of a service by their language."""
    inputs: dict[str, Field] = {}
    for use in service.stored_uses:
        renamed = dict(use.join_keys)
        inputs |= {renamed.get(key.name, key.name): key for key in use.view.join_keys}
    for reference in service.references:
        if isinstance(reference.view, OnDemandFeatureView):
            inputs |= {c.name: c for source in reference.view.requests for c in source.schema}
    pairs = list(inputs.items())
    return _reading(service.name, pairs, _literal(service.name))


def _reading(name: str, inputs: Sequence[tuple[str, Field]], argument: str) -> dict[str, str]:
    row = ", ".join(f"{_literal(column)}: {_example(field)[0]}" for column, field in inputs)
    keys = ",".join(f"{column}={_example(field)[1]}" for column, field in inputs)
    words = " ".join(map(shlex.quote, (name, keys) if keys else (name,)))
    imports = "import datetime\n\n" if "datetime." in row else ""
    names = [*(column for column, _ in inputs), EVENT_TIME, "label"]
    # As literals: a line end in a name would end the comment.
    note = f"# {_SPINE} {', '.join(map(_literal, names))}"
    python = (
        f"{imports}import featurestore as fs\n\n"
        'store = fs.FeatureStore(".")  # the folder with featurestore.toml\n'
        f"now = store.get_latest_features({argument}, [{{{row}}}])  # your own values\n"
        f"{note}\n"
        f'training = store.get_training_set({argument}, "spine.parquet", label="label")'
    )
    shell = (
        f"featurestore latest {words}\nfeaturestore training-set {shlex.quote(name)} "
        "spine.parquet --label label --out training.parquet"
    )
    return {"python": python, "shell": shell}


def _inputs(view: FeatureView | OnDemandFeatureView) -> list[tuple[str, Field]]:
    if isinstance(view, FeatureView):
        return [(key.name, key) for key in view.join_keys]
    inputs: dict[str, Field] = {}
    for use in view.uses:
        renamed = dict(use.join_keys)
        inputs |= {renamed.get(key.name, key.name): key for key in use.view.join_keys}
    inputs |= {column.name: column for source in view.requests for column in source.schema}
    return list(inputs.items())


def _literal(text: str) -> str:
    """Return a text as Python's source has it: names of columns may have quotes and blanks."""
    return json.dumps(text, ensure_ascii=False)


def _example(field: Field) -> tuple[str, str]:
    return _EXAMPLES.get(str(field.dtype), _TEXT)
