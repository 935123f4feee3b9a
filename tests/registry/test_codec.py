import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from featurestore.definitions.loading.loader import load
from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.references import manifest_of
from featurestore.definitions.model.view import Code
from featurestore.definitions.origin import Origin
from featurestore.errors import TableError
from featurestore.registry.codec import canonical_json, decode, encode, fingerprint
from tests.definitions.project import CARDS, write
from tests.effort import examples
from tests.registry.manifests import ACTIVITY, SCORING, SHAPE, SMALL, manifests


@given(manifests())
@examples(40)
def test_every_manifest_comes_back_from_its_json(manifest: Manifest) -> None:
    text = canonical_json(encode(manifest))

    decoded = decode(json.loads(text))

    assert decoded == manifest
    assert canonical_json(encode(decoded)) == text
    assert fingerprint(decoded) == fingerprint(manifest)


def test_the_document_is_plain_and_refers_by_name() -> None:
    document = encode(SMALL)

    [service] = document["services"]
    del service["origin"]
    for use in service["features"]:
        use.pop("origin", None)
    assert document["schema"] == "featurestore.manifest/1"
    assert service == {
        "kind": "FeatureService",
        "name": "scoring",
        "features": [
            {"kind": "reference", "section": "views", "name": "activity"},
            {
                "kind": "FeatureReference",
                "view": {"kind": "reference", "section": "views", "name": "limits"},
                "features": ["limit"],
                "prefix": "card_",
            },
        ],
    }


def test_an_on_demand_view_is_text_to_read() -> None:
    document = encode(manifest_of([SHAPE]))

    [shape] = document["on_demand_views"]
    assert shape["transform"] == {
        "kind": "dictionary",
        "items": [["share", "price / amount_sum_1h"], ["over", 'price - "limit"']],
    }
    assert shape["sources"][2] == {"kind": "reference", "section": "sources", "name": "checkout"}
    assert decode(document).on_demand_views == (SHAPE,)


def test_definitions_without_on_demand_views_have_no_section_for_them() -> None:
    assert list(encode(SMALL)) == ["schema", "entities", "sources", "views", "services"]


def test_a_function_becomes_its_text_and_fingerprint(tmp_path: Path) -> None:
    function = "def clean(rows):\n    return rows\n"
    module = function + CARDS.replace('ttl="1d"', "transform=clean")
    manifest = load(write(tmp_path / "feature_defs", {"cards.py": module}))

    decoded = decode(encode(manifest))

    code = decoded.views[0].transform
    assert isinstance(code, Code)
    assert (code.name, code.text, code.module) == ("clean", function, "feature_defs.cards")
    assert encode(decoded) == encode(manifest)


def test_origins_are_stored_and_do_not_count(tmp_path: Path) -> None:
    one = load(write(tmp_path / "feature_defs", {"cards.py": CARDS}))
    moved = load(write(tmp_path / "feature_defs", {"cards.py": "\n\n" + CARDS}))

    assert decode(encode(one)).views[0].origin == Origin("feature_defs/cards.py", 9)
    assert decode(encode(moved)).views[0].origin == Origin("feature_defs/cards.py", 11)
    assert fingerprint(moved) == fingerprint(one)


def test_a_comment_in_a_function_does_not_count() -> None:
    remarked = Code("clean", "def clean(rows):  # all\n    return rows", "same")
    plain = replace(remarked, text="def clean(rows):\n    return rows")

    fingerprints = [
        fingerprint(manifest_of([replace(ACTIVITY, transform=code)]))
        for code in (remarked, plain, replace(plain, fingerprint="other"))
    ]

    assert fingerprints[0] == fingerprints[1] != fingerprints[2]


@pytest.mark.parametrize("empty", [0, 0.0, False, -0.0, math.inf, -math.inf, math.nan, "0", None])
def test_values_for_empty_windows_keep_their_type(empty: float | str | bool | None) -> None:
    view = replace(ACTIVITY, aggregations=(Aggregation("amount", "sum", empty=empty),))

    decoded = decode(json.loads(canonical_json(encode(manifest_of([view])))))

    assert repr(decoded.views[0].aggregations[0].empty) == repr(empty)


def test_fields_at_their_default_are_omitted() -> None:
    document = encode(manifest_of([SCORING]))

    assert "owner" not in document["views"][0]
    assert "change_feed" not in document["sources"][0]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"schema": "featurestore.manifest/2"}, "its form is 'featurestore.manifest/2'"),
        ({}, "its form is None"),
        (
            {"schema": "featurestore.manifest/1", "views": [{"kind": "Embedding", "name": "v"}]},
            "it contains a 'Embedding'",
        ),
        (
            {
                "schema": "featurestore.manifest/1",
                "entities": [{"kind": "Entity", "name": "e", "join_keys": [], "colour": "red"}],
            },
            "its Entity has colour",
        ),
        (
            {
                "schema": "featurestore.manifest/1",
                "entities": [{"kind": "Scalar", "name": "Int64"}],
            },
            "it lists a Scalar",
        ),
    ],
)
def test_a_document_of_a_newer_release_is_refused(document: dict, reason: str) -> None:
    with pytest.raises(TableError) as caught:
        decode(document)

    assert caught.value.found.startswith(reason)
    assert "Upgrade" in caught.value.fix


def test_a_view_may_refer_to_a_view_of_a_later_name() -> None:
    derived = replace(ACTIVITY, name="a_derived", source=ACTIVITY, aggregations=())

    manifest = manifest_of([derived])

    assert [view.name for view in manifest.views] == ["a_derived", "activity"]
    assert decode(json.loads(canonical_json(encode(manifest)))) == manifest
