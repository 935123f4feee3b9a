"""The published JSON schemas of OpenLineage, if they are on this machine.

They are Apache-licensed files of another project, and no package that is installed has them. So
they are read from the folder in ``OPENLINEAGE_SPEC``: the folder ``spec`` of a clone of
https://github.com/OpenLineage/OpenLineage.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource

SPEC = os.environ.get("OPENLINEAGE_SPEC", "")
needs_spec = pytest.mark.skipif(not SPEC, reason="OPENLINEAGE_SPEC names no folder of schemas")
_BASE = "https://openlineage.io/spec/"


def problems(event: Mapping[str, Any]) -> list[str]:
    """Return what the schemas find wrong with an event and with each of its facets."""
    documents = _documents()
    registry: Registry[Any] = Registry().with_resources(
        (uri, Resource.from_contents(each)) for uri, each in documents.items()
    )
    main = next(each for uri, each in documents.items() if uri.endswith("/OpenLineage.json"))
    found = [*_errors({"$ref": f"{main['$id']}#/$defs/RunEvent"}, event, registry)]
    for facet in facets(event):
        # A facet names the schema of its release; the schema here may be of a later one.
        name, _, fragment = str(facet["_schemaURL"]).rpartition("/facets/")[2].partition("#")
        file = name.partition("/")[2]
        uri = next(each for each in documents if each.endswith(f"/{file}"))
        found += _errors({"$ref": f"{uri}#{fragment}"}, facet, registry)
    return found


def facets(event: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield all facets of an event."""
    owners = [event["run"], event["job"], *event["inputs"], *event["outputs"]]
    for owner in owners:
        for kind in ("facets", "inputFacets", "outputFacets"):
            yield from owner.get(kind, {}).values()


def _documents() -> dict[str, Any]:
    paths = [Path(SPEC) / "OpenLineage.json", *Path(SPEC).glob("facets/*.json")]
    documents = [json.loads(path.read_text("utf-8")) for path in paths]
    return {each["$id"]: each for each in documents}


def _errors(schema: Mapping[str, Any], data: object, registry: "Registry[Any]") -> list[str]:
    validator = jsonschema.Draft202012Validator(schema, registry=registry)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(data)]
