"""Definitions of recorded Feast repositories. The record was made by the real package."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import featurestore as fs
from featurestore.definitions.loading.loader import load
from featurestore.definitions.model.manifest import Manifest
from featurestore.integrations.feast.translation.notes import Kind
from featurestore.integrations.feast.translation.translate import Translation, translate
from featurestore.testing import on_demand_rows

HERE = Path(__file__).parent


def recorded() -> dict[str, Any]:
    """The repository beside this file, as Feast 0.67.0 has it; record.py makes it again."""
    found: dict[str, Any] = json.loads((HERE / "recorded.json").read_text("utf-8"))
    return found


def loaded(translation: Translation, folder: Path) -> Manifest:
    """The definitions of a translation, loaded by the rules of all definitions."""
    definitions = folder / "feature_defs"
    definitions.mkdir()
    (definitions / "imported.py").write_text(translation.text, "utf-8")
    return load(definitions)


def changed(**sections: Any) -> Mapping[str, Any]:
    """A small repository: one entity, one file, one view; with other sections in their place."""
    driver = {"name": "driver", "kind": "Entity", "join_key": "driver_id", "type": "Int64"}
    base = {"feast": "0.67.0", "settings": {}, "entities": [driver], "sources": [source()]}
    return {**base, "views": [view()], **sections}


def source(**fields: Any) -> dict[str, Any]:
    base = {
        "name": "trips", "kind": "FileSource", "path": "data/trips.parquet", "format": "",
        "table": "", "query": "", "endpoint": False, "timestamp_field": "at",
        "created_timestamp_column": "", "field_mapping": {}, "schema": [], "batch_source": "",
        "columns": None, "columns_problem": "",
    }  # fmt: skip
    return {**base, **fields}


def feature(name: str, dtype: str = "Float64") -> dict[str, Any]:
    return {"name": name, "type": dtype, "description": "", "tags": {}, "vector_index": False}


def view(**fields: Any) -> dict[str, Any]:
    base = {
        "name": "stats", "kind": "FeatureView", "entities": ["driver"], "ttl": None,
        "source": "trips", "stream": "", "source_views": [], "features": [feature("rate")],
        "keys": [], "aggregations": [], "function": None, "online": True, "offline": False,
        "validation": False, "version": "latest", "enabled": True,
    }  # fmt: skip
    return {**base, **fields}


def noted(translation: Translation, kind: Kind) -> set[str]:
    return {note.subject for note in translation.notes if note.kind == kind}


def test_the_recorded_repository_becomes_valid_definitions(tmp_path: Path) -> None:
    manifest = loaded(translate(recorded(), "../rides"), tmp_path)

    views = {each.name: each for each in manifest.views}
    assert {name: each.feature_names for name, each in views.items()} == {
        "driver_stats": ("conv_rate", "trips_today", "device", "bonus", "last_zones"),
        "driver_forever": ("trips_today", "conv_rate"),
        "driver_sums": ("conv_sum_1d", "best_lifetime"),
        "zone_prices": ("price",),
    }
    stats = views["driver_stats"]
    assert (stats.ttl, stats.owner, stats.tags) == ("2d", "ann@example.org", ("team:fleet",))
    assert stats.join_keys[0].dtype == fs.Int64  # of the file: Feast's entity has no type
    assert [each.dtype for each in stats.schema[3:]] == [fs.Decimal(10, 2), fs.Array(fs.String)]
    assert views["driver_forever"].ttl is None  # Feast's 0 is no limit
    assert stats.source == fs.FileSource(
        "trips",
        path="../rides/data/trips.parquet",
        timestamp_field="event_timestamp",
        sequence_field="created_micros",
        timezone="UTC",
        description="One row for each hour of a driver.",
    )


def test_services_keep_features_keys_and_names(tmp_path: Path) -> None:
    manifest = loaded(translate(recorded(), "../rides"), tmp_path)

    outputs = {
        service.name: [
            use.prefix + name for use in service.references for name in use.feature_names
        ]
        for service in manifest.services
    }
    assert outputs == {
        "pricing_v1": ["conv_rate", "device", "price", "fare", "is_long", "log_rate"],
        "routes_v1": ["origin__price", "target__price"],
        "ratings_v2": ["conv_rate", "trips_today", "device", "bonus", "last_zones"],
    }
    routes = next(each for each in manifest.services if each.name == "routes_v1")
    assert [dict(use.join_keys)["zone"] for use in routes.stored_uses] == ["from_zone", "to_zone"]


def test_nothing_is_left_out_in_silence() -> None:
    repository = recorded()
    translation = translate(repository, "../rides")

    kinds = {"entities": "entity", "sources": "source", "views": "view", "services": "service"}
    kinds["on_demand_views"] = "on-demand view"
    declared = {
        f"{'request source' if each['kind'] == 'RequestSource' else kind} {each['name']}"
        for section, kind in kinds.items()
        for each in repository[section]
    }
    assert declared <= {note.subject for note in translation.notes}
    assert noted(translation, "left out") >= {
        "view complaints", "view driver_ratings", "source warehouse", "service ratings_v1",
        "on-demand view label_count", "source trips_push", "setting online_store (sqlite)",
    }  # fmt: skip
    assert all(note.reason for note in translation.notes if note.kind != "translated")
    comments = " ".join(line.lstrip("# ") for line in translation.text.splitlines())
    for note in translation.notes:
        assert note.reason in comments


def test_the_text_is_formatted(tmp_path: Path) -> None:
    path = tmp_path / "imported.py"
    path.write_text(translate(recorded(), "../rides").text, "utf-8")

    ruff = Path(sys.executable).with_name("ruff")
    options = ("--isolated", "--line-length", "88", "--check", "--diff")
    done = subprocess.run([ruff, "format", *options, path], capture_output=True, text=True)

    assert done.returncode == 0, done.stdout


def test_functions_of_frames_and_dicts_compute_what_they_did(tmp_path: Path) -> None:
    manifest = loaded(translate(recorded(), "../rides"), tmp_path)
    fare, rates = (
        next(each for each in manifest.on_demand_views if each.name == name)
        for name in ("fare", "rates")
    )

    fares = on_demand_rows(fare, given=[{"price": 2.0, "km": 0.25}, {"price": None, "km": 11.0}])
    logs = on_demand_rows(rates, given=[{"conv_rate": 0.0}, {"conv_rate": None}])

    assert fares == [{"fare": 1.0, "is_long": 0}, {"fare": None, "is_long": 1}]
    assert logs == [{"log_rate": 0.0}, {"log_rate": None}]


@pytest.mark.parametrize(
    ("sections", "subject"),
    [
        ({"sources": [source(kind="SnowflakeSource")]}, "source trips"),
        ({"sources": [source(kind="SparkSource", path="", table="rides")]}, "source trips"),
        ({"sources": [source(format="csv")]}, "view stats"),
        ({"sources": [source(timestamp_field="")]}, "source trips"),
        ({"views": [view(source="")]}, "view stats"),
        ({"views": [view(source_views=["other"])]}, "view stats"),
        ({"views": [view(enabled=False)]}, "view stats"),
        ({"views": [view(features=[feature("rate", "Map")])]}, "view stats"),
        ({"views": [view(features=[feature("rate"), feature("event_timestamp")])]}, "view stats"),
        ({"views": [view(version="v2")]}, "view stats"),
        ({"others": [{"kind": "Permission", "name": "readers"}]}, "permission readers"),
    ],
)
def test_what_has_no_translation_is_named(sections: dict[str, Any], subject: str) -> None:
    translation = translate(changed(**sections), "rides")

    assert subject in noted(translation, "left out")


@pytest.mark.parametrize(
    ("key", "kept"), [("Int32", "Int32"), ("Float64", None), ("Invalid", None), ("Uuid", "String")]
)
def test_keys_have_types_that_can_be_compared(key: str, kept: str | None, tmp_path: Path) -> None:
    entity = {"name": "driver", "kind": "Entity", "join_key": "driver_id", "type": key}

    translation = translate(changed(entities=[entity]), "rides")

    types = [str(each.join_keys[0].dtype) for each in loaded(translation, tmp_path).entities]
    assert types == ([kept] if kept else [])
    assert ("entity driver" in noted(translation, "left out")) == (kept is None)


@pytest.mark.parametrize(
    ("seconds", "ttl"),
    [(None, None), (0.0, None), (86_400.0, "1d"), (5_400.0, "90m"), (0.5, "1s")],
)
def test_a_ttl_of_zero_is_no_limit(seconds: float | None, ttl: str | None, tmp_path: Path) -> None:
    translation = translate(changed(views=[view(ttl=seconds)]), "rides")

    assert [each.ttl for each in loaded(translation, tmp_path).views] == [ttl]


def test_delta_tables_and_object_stores(tmp_path: Path) -> None:
    delta = source(format="delta", path="s3://bucket/trips", endpoint=True)

    translation = translate(changed(sources=[delta]), "rides")

    [found] = loaded(translation, tmp_path).sources
    assert found == fs.DeltaSource(
        "trips", path="s3://bucket/trips", timestamp_field="at", timezone="UTC"
    )
    assert "source trips" in noted(translation, "left out")  # its endpoint


def on_demand(name: str, module: str, text: str) -> dict[str, Any]:
    return {
        "name": name, "kind": "OnDemandFeatureView", "mode": "pandas", "singleton": False,
        "features": [feature(name)], "aggregations": [], "stored_online": False,
        "uses": [
            {"view": "stats", "alias": "", "features": ["rate"], "join_keys": {}, "version": None}
        ],
        "requests": [],
        "function": {
            "name": "f", "mode": "pandas", "text": text, "module": module, "line": 2
        },
    }  # fmt: skip


def test_a_function_with_a_module_of_the_repository_is_left_out() -> None:
    text = "def share(inputs):\n    return shares.of(inputs)\n"
    views = [on_demand("share", "defs.py", text)]
    modules = {"defs.py": f"import shares\n{text}"}

    known = translate(changed(on_demand_views=views, modules=modules), "rides")
    local = translate(
        changed(on_demand_views=views, modules=modules, local_modules=["shares"]), "rides"
    )

    assert "import shares" in known.text
    assert noted(local, "left out") == {"on-demand view share"}


@pytest.mark.parametrize(
    ("first", "second", "are_one"),
    [
        ("SCALE = 10", "SCALE = 100", False),
        ("from math import floor as SCALE", "from math import ceil as SCALE", False),
        ("def SCALE(x):\n    return x", "def SCALE(x):\n    return -x", False),
        ("SCALE = 10", "from math import ceil as SCALE", False),
        ("SCALE = 10", "SCALE = 10", True),
    ],
)
def test_one_name_with_two_meanings_is_left_out(first: str, second: str, are_one: bool) -> None:
    text = "def f(inputs):\n    return inputs.map(SCALE)\n"
    modules = {"m1.py": f"{first}\n{text}", "m2.py": f"{second}\n{text}"}
    views = [on_demand("a", "m1.py", text), on_demand("b", "m2.py", text)]

    translation = translate(changed(on_demand_views=views, modules=modules), "rides")

    assert noted(translation, "left out") == (set() if are_one else {"on-demand view b"})
    assert translation.text.count(first) == 1
    assert are_one or second not in translation.text


def test_no_definition_has_a_name_that_a_function_needs(tmp_path: Path) -> None:
    text = 'def f(inputs):\n    return inputs.assign(a=json.loads("2.5") * trips(1))\n'
    module = f"import json\ndef trips(x):\n    return x\n{text}"
    entity = {"name": "json", "kind": "Entity", "join_key": "driver_id", "type": "Int64"}

    translation = translate(
        changed(
            entities=[entity], views=[view(entities=["json"])],
            on_demand_views=[on_demand("a", "m.py", text)], modules={"m.py": module},
        ), "rides",
    )  # fmt: skip

    manifest = loaded(translation, tmp_path)
    assert not noted(translation, "left out")
    assert [each.name for each in manifest.entities] == ["json"]
    assert on_demand_rows(manifest.on_demand_views[0], given=[{"rate": 1.0}]) == [{"a": 2.5}]


@pytest.mark.parametrize("line", ["from pyarrow import fs", "def round(x):\n    return x"])
def test_a_name_that_the_file_needs_itself_is_no_function_s(line: str) -> None:
    text = "def f(inputs):\n    return inputs.map(round, fs)\n"
    modules = {"m.py": f"fs = 1\n{line}\n{text}" if "round" in line else f"{line}\n{text}"}

    translation = translate(
        changed(on_demand_views=[on_demand("a", "m.py", text)], modules=modules), "rides"
    )

    assert noted(translation, "left out") == {"on-demand view a"}


def test_texts_of_the_repository_stay_texts(tmp_path: Path) -> None:
    hostile = '"""\nimport os # {source} \\ \' "'
    entity = {
        "name": "driver", "kind": "Entity", "join_key": "driver_id", "type": "Int64",
        "description": hostile, "owner": "a'b", "tags": {hostile: ""},
    }  # fmt: skip
    columns = [{"name": name, "stored": "double", "type": "Float64"} for name in ("at", hostile)]
    views = [view(name="a\nimport os", description=hostile, features=[feature(hostile)])]
    sections = {"entities": [entity], "sources": [source(columns=columns)], "views": views}

    manifest = loaded(translate(changed(**sections), f"a/{hostile}"), tmp_path)

    assert (manifest.entities[0].description, manifest.entities[0].tags) == (hostile, (hostile,))
    assert [each.name for each in manifest.views] == ["a_import_os"]
    assert manifest.views[0].feature_names == ("import_os_source",)


def test_names_that_are_no_names_here_are_changed_and_noted(tmp_path: Path) -> None:
    features = [feature("a-b"), feature("A_B"), feature("driver_id")]
    views = [view(name="my-stats"), view(name="my stats", features=features)]

    translation = translate(changed(views=views), "rides")

    manifest = loaded(translation, tmp_path)
    assert [each.name for each in manifest.views] == ["my_stats", "my_stats_2"]
    assert manifest.views[1].feature_names == ("a_b",)
    assert {"view my-stats", "view my stats"} <= noted(translation, "changed")


def test_a_service_without_clashes_has_no_prefixes(tmp_path: Path) -> None:
    def use(name: str, **fields: Any) -> dict[str, Any]:
        base = {"view": name, "alias": "", "features": [], "join_keys": {}, "version": None}
        return {**base, **fields}

    views = [view(), view(name="other"), view(name="third", features=[feature("score")])]
    about = {"kind": "FeatureService", "references": ["third:score", "other@v2"], "logging": False}
    services = [
        {"name": "plain", "uses": [use("stats"), use("stats")], **about},
        {"name": "clash", "uses": [use("stats"), use("other", features=["rate"])], **about},
    ]

    translation = translate(changed(views=views, services=services), "rides")

    outputs = {
        each.name: [use.prefix + name for use in each.references for name in use.feature_names]
        for each in loaded(translation, tmp_path).services
    }
    assert outputs == {
        "plain": ["rate", "score"],
        "clash": ["stats__rate", "other__rate", "score"],
    }
    assert noted(translation, "left out") == {"service plain", "service clash"}
