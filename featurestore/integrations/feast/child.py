"""The program that reads a Feast repository. It runs in Feast's environment, not in ours.

Its text is the standard input of that environment's Python, so it imports nothing of this package.
It collects the repository's objects as `feast apply` does, and writes them as JSON to a file.
"""

import importlib
import json
import os
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

Record = dict[str, Any]


def main(repo: str, out: str) -> None:
    """Write the objects of a repository, or what stopped the reading, to a file."""
    os.chdir(repo)  # as feast does: the repository's modules are imported from there
    sys.path.insert(0, "")
    try:
        found = read()
    except ModuleNotFoundError as error:
        kind = "feast" if (error.name or "").split(".")[0] == "feast" else "repository"
        found = {"problem": {"kind": kind, "text": str(error)}}
    except Exception:  # noqa: BLE001  # a repository's code may raise anything
        found = {"problem": {"kind": "repository", "text": traceback.format_exc(limit=-3)}}
    Path(out).write_text(json.dumps(found, indent=1, sort_keys=True), "utf-8")


def read() -> Record:
    """Return all objects of the repository in the current folder, as plain data."""
    feast = importlib.import_module("feast")
    operations = importlib.import_module("feast.repo_operations")
    root = Path.cwd()
    contents = operations.parse_repo(root)
    views = [
        *contents.feature_views,
        *getattr(contents, "stream_feature_views", []),
        *getattr(contents, "label_views", []),
    ]
    functions = [*views, *contents.on_demand_feature_views]
    return {
        "feast": feast.__version__,
        "settings": _settings(root),
        "entities": [_entity(each) for each in contents.entities if each.name != "__dummy"],
        "sources": [_source(each, _config(feast, root)) for each in contents.data_sources],
        "views": [_view(each) for each in views],
        "on_demand_views": [_on_demand(each) for each in contents.on_demand_feature_views],
        "services": [_service(each) for each in contents.feature_services],
        "others": [
            {"kind": type(each).__name__, "name": each.name}
            for each in getattr(contents, "permissions", [])
        ],
        "modules": _modules(root, functions),
        "local_modules": sorted({_top(path, root) for path in root.glob("**/*.py")}),
    }


def _settings(root: Path) -> Record:
    """Return what the repository's settings say of stores; no addresses, which may have keys."""
    try:
        yaml = importlib.import_module("yaml")  # which feast needs, and this package does not
        text = (root / "feature_store.yaml").read_text("utf-8")
        settings = yaml.safe_load(os.path.expandvars(text)) or {}
    except Exception:  # noqa: BLE001  # a template that is not filled in is no YAML
        return {}
    kinds = {}
    for name in ("offline_store", "online_store", "batch_engine", "registry"):
        value = settings.get(name)
        if value is not None:
            kinds[name] = str(value.get("type", "")) if isinstance(value, dict) else "file"
    return {"project": str(settings.get("project", "")), **kinds}


def _config(feast: Any, root: Path) -> Any:
    try:
        return feast.repo_config.load_repo_config(root, root / "feature_store.yaml")
    except Exception:  # noqa: BLE001  # only the columns of files are unknown then
        return None


def _entity(entity: Any) -> Record:
    return {
        **_about(entity),
        "join_key": entity.join_key,
        "type": _value_type(entity.value_type),
    }


def _about(definition: Any) -> Record:
    return {
        "name": definition.name,
        "kind": type(definition).__name__,
        "description": getattr(definition, "description", "") or "",
        "owner": getattr(definition, "owner", "") or "",
        "org": getattr(definition, "org", "") or "",
        "tags": {str(k): str(v) for k, v in (getattr(definition, "tags", None) or {}).items()},
    }


def _value_type(value_type: Any) -> str:
    types = importlib.import_module("feast.types")
    try:
        return str(types.from_value_type(value_type))
    except (KeyError, ValueError):
        return "Invalid"


def _fields(fields: Any) -> list[Record]:
    return [
        {
            "name": field.name,
            "type": str(field.dtype),
            "description": field.description or "",
            "tags": {str(k): str(v) for k, v in (field.tags or {}).items()},
            "vector_index": bool(getattr(field, "vector_index", False)),
        }
        for field in fields or []
    ]


def _source(source: Any, config: Any) -> Record:
    file_format = getattr(source, "file_format", None)
    table_format = getattr(source, "table_format", None)
    batch = getattr(source, "batch_source", None)
    columns, problem = _columns(source, config)
    return {
        **_about(source),
        "path": getattr(source, "path", None) or "",
        "format": _name_of_format(file_format or table_format),
        "table": getattr(source, "table", None) or "",
        "query": getattr(source, "query", None) or "",
        "endpoint": bool(getattr(source, "s3_endpoint_override", None)),
        "timestamp_field": source.timestamp_field or "",
        "created_timestamp_column": source.created_timestamp_column or "",
        "field_mapping": dict(source.field_mapping or {}),
        "schema": _fields(source.schema) if type(source).__name__ == "RequestSource" else [],
        "batch_source": "" if batch is None else batch.name,
        "columns": columns,
        "columns_problem": problem,
    }


def _name_of_format(file_format: Any) -> str:
    """Return such as ``parquet``: of a name, or of a class such as ``ParquetFormat``."""
    if file_format is None or isinstance(file_format, str):
        return (file_format or "").lower()
    return type(file_format).__name__.removesuffix("Format").lower()


def _columns(source: Any, config: Any) -> tuple[list[Record] | None, str]:
    """Return the columns of a file, as Feast looks at it when it infers types."""
    if type(source).__name__ != "FileSource" or config is None:
        return None, ""
    try:
        to_feast = source.source_datatype_to_feast_value_type()
        pairs = list(source.get_table_column_names_and_types(config))
        return [
            {"name": name, "stored": str(stored), "type": _stored_type(to_feast, str(stored))}
            for name, stored in pairs
        ], ""
    except Exception as error:  # noqa: BLE001  # any reader of files
        return None, type(error).__name__  # its text has paths of this machine


def _stored_type(to_feast: Any, stored: str) -> str:
    try:
        return _value_type(to_feast(stored))
    except Exception:  # noqa: BLE001  # Feast has no type for each type of Parquet
        return "Invalid"


def _view(view: Any) -> Record:
    ttl = getattr(view, "ttl", None)
    batch, stream = getattr(view, "batch_source", None), getattr(view, "stream_source", None)
    if batch is None and type(view).__name__ == "LabelView":
        batch = view.source
    return {
        **_about(view),
        "entities": [name for name in view.entities if name != "__dummy"],
        "ttl": None if ttl is None else ttl.total_seconds(),
        "source": "" if batch is None else batch.name,
        "stream": "" if stream is None else f"{type(stream).__name__} {stream.name}",
        "source_views": [each.name for each in getattr(view, "source_views", None) or []],
        "features": _fields(view.features),
        "keys": _fields(getattr(view, "entity_columns", None)),
        "aggregations": _aggregations(view),
        "function": _function(view),
        "online": bool(getattr(view, "online", False)),
        "offline": bool(getattr(view, "offline", False)),
        "validation": bool(getattr(view, "enable_validation", False)),
        "version": str(getattr(view, "version", None) or "latest"),
        "enabled": bool(getattr(view, "enabled", True)),
    }


def _aggregations(view: Any) -> list[Record]:
    def seconds(value: Any) -> float | None:
        return None if value is None else value.total_seconds()

    return [
        {
            "column": each.column,
            "function": each.function,
            "window": seconds(each.time_window),
            "slide": seconds(each.slide_interval),
            "name": getattr(each, "name", "") or "",
        }
        for each in getattr(view, "aggregations", None) or []
    ]


def _function(view: Any) -> Record | None:
    """Return a view's function: its name, its text, and where it is declared."""
    transformation = getattr(view, "feature_transformation", None)
    function = getattr(transformation, "udf", None) or getattr(view, "udf", None)
    if function is None and transformation is None:
        return None
    mode = getattr(transformation, "mode", None) or getattr(view, "mode", "")
    code = getattr(function, "__code__", None)
    return {
        "name": getattr(function, "__name__", ""),
        "mode": str(getattr(mode, "value", mode)).lower(),
        "text": getattr(transformation, "udf_string", None)
        or getattr(view, "udf_string", "")
        or "",
        "module": "" if code is None else _relative(code.co_filename),
        "line": 0 if code is None else code.co_firstlineno,
    }


def _on_demand(view: Any) -> Record:
    projections = view.source_feature_view_projections.values()
    requests = view.source_request_sources.values()
    return {
        **_about(view),
        "mode": str(getattr(view.mode, "value", view.mode)).lower(),
        "singleton": bool(getattr(view, "singleton", False)),
        "features": _fields(view.features),
        "uses": [_use(each) for each in projections],
        "requests": [{**_about(each), "schema": _fields(each.schema)} for each in requests],
        "function": _function(view),
        "aggregations": _aggregations(view),
        "stored_online": bool(getattr(view, "write_to_online_store", False)),
        "version": str(getattr(view, "version", None) or "latest"),
        "enabled": bool(getattr(view, "enabled", True)),
    }


def _use(projection: Any) -> Record:
    chosen = [each.name for each in projection.features] or list(projection.desired_features or [])
    return {
        "view": projection.name,
        "alias": projection.name_alias or "",
        "features": chosen,
        "join_keys": dict(projection.join_key_map or {}),
        "version": getattr(projection, "version_tag", None),
    }


def _service(service: Any) -> Record:
    return {
        **_about(service),
        "uses": [_use(each) for each in service.feature_view_projections],
        "references": [str(each) for each in getattr(service, "_pending_feature_refs", [])],
        "logging": getattr(service, "logging_config", None) is not None,
    }


def _modules(root: Path, views: list[Any]) -> dict[str, str]:
    """Return the texts of the modules that declare functions, by their paths."""
    functions = [function for function in map(_function, views) if function]
    paths = sorted({function["module"] for function in functions if function["module"]})
    return {path: (root / path).read_text("utf-8") for path in paths if (root / path).is_file()}


def _relative(path: str) -> str:
    try:
        return Path(path).resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return Path(path).as_posix()


def _top(path: Path, root: Path) -> str:
    return path.relative_to(root).parts[0].removesuffix(".py")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(*sys.argv[1:])
