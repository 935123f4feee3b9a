import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.references import manifest_of
from featurestore.definitions.model.service import FeatureService
from featurestore.definitions.model.types import Field, Float64, Int32, Int64, String
from featurestore.definitions.model.view import Code, FeatureView
from featurestore.definitions.model.window import Sliding
from featurestore.registry.codec import canonical_json, decode, encode, fingerprint
from featurestore.registry.diff import Change, Detail, diff
from featurestore.registry.plan import plan, render
from featurestore.registry.version import RegistryVersion
from tests.effort import examples
from tests.registry.manifests import (
    ACTIVITY,
    CARD,
    CHECKOUT,
    LIMITS,
    PAYMENTS,
    SCORING,
    SHAPE,
    SMALL,
    manifests,
)

VALUES = "values change"


def applied(manifest: Manifest, version: int = 7) -> RegistryVersion:
    return RegistryVersion(
        version,
        applied_at=datetime(2026, 1, 1, tzinfo=UTC),
        applied_by="me",
        digest=fingerprint(manifest),
        changes=(),
        read=lambda: canonical_json(encode(manifest)),
    )


def details(old: Any, new: Any) -> list[tuple[str, str | None, str | None, str]]:
    """Return the details of the only definition that differs."""
    [change] = diff(manifest_of([old]), manifest_of([new]))
    return [(d.field, d.old, d.new, d.breaking) for d in change.details]


@given(manifests())
@examples(40)
def test_a_plan_just_applied_is_empty(manifest: Manifest) -> None:
    version = applied(manifest)
    # Drawn definitions make no sense, which a reader of the registry would refuse.
    vars(version)["manifest"] = decode(json.loads(version.document))

    assert plan(version, manifest).is_empty


def test_nothing_changed_is_an_empty_plan() -> None:
    made = plan(applied(SMALL), SMALL)

    assert made.is_empty
    assert (made.base_version, made.changes, made.builds) == (7, (), ())
    assert made.digest == fingerprint(SMALL)
    [line] = render(made)
    assert "version 7" in line


def test_the_first_plan_adds_everything_and_builds_every_view() -> None:
    made = plan(None, SMALL)

    assert made.base_version == 0
    assert [(change.action, change.kind, change.name) for change in made.changes] == [
        ("added", "entity", "card"),
        ("added", "source", "payments"),
        ("added", "view", "activity"),
        ("added", "view", "limits"),
        ("added", "service", "scoring"),
    ]
    assert made.builds == ("activity", "limits")
    assert made.breaking == ()
    assert made.document == canonical_json(encode(SMALL))
    assert render(made) == [
        "+ entity card",
        "    + join_keys: card_id",
        "+ source payments",
        "    + path: data/payments",
        "    + timestamp_field: paid_at",
        "+ view activity (builds its table)",
        "    + entities: card",
        "    + source: payments",
        "    + schema: amount, merchant",
        "    + join_keys: card_id String",
        "    + features: amount_sum_1h, amount_sum_7d, count_7d",
        "+ view limits (builds its table)",
        "    + entities: card",
        "    + source: payments",
        "    + schema: limit, rank",
        "    + ttl: 30d",
        "    + join_keys: card_id String",
        "+ service scoring",
        "    + features: amount_sum_1h, amount_sum_7d, count_7d, card_limit",
        "",
        "Changes: 5 added; 0 breaking.",
        "Tables to build: 2 (activity, limits).",
    ]


def test_a_changed_view_is_shown_field_by_field() -> None:
    wider = replace(
        ACTIVITY,
        description="What a card paid",
        aggregations=(
            Aggregation("amount", "sum", windows=("7d", "30d")),
            Aggregation("*", "count", windows=("7d",), delay="1h"),
        ),
    )

    made = plan(applied(manifest_of([ACTIVITY])), manifest_of([wider]))

    assert render(made) == [
        "~ view activity",
        "    + description: What a card paid",
        "    + features.amount_sum_30d: sum of amount over 30d: Float64",
        "    ~ features.count_7d: count of * over 7d: Int64 -> "
        "count of * over 7d: Int64, delayed by 1h (breaking: its values change)",
        "    - features.amount_sum_1h: sum of amount over 1h: Float64 (breaking: it is removed)",
        "",
        "Changes: 1 changed; 1 breaking.",
    ]
    assert made.builds == ()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"description": "d"}, [("description", None, "d", "")]),
        ({"owner": "me", "tags": ("a", "b")}, [
            ("owner", None, "me", ""), ("tags", None, "a, b", "")
        ]),
        ({"latest": False}, [("latest", None, "False", "")]),
        ({"ttl": None}, [("ttl", "30d", None, VALUES)]),
        ({"ttl": "7d"}, [("ttl", "30d", "7d", VALUES)]),
        ({"available_delay": "1d"}, [("available_delay", None, "1d", VALUES)]),
        ({"transform": "select 1 from {source}"}, [
            ("transform", None, "SELECT 1 FROM {source}", VALUES)
        ]),
        ({"transform": Code("f", "def f(x): ...", "9f3c")}, [
            ("transform", None, "f (9f3c)", VALUES)
        ]),
        ({"schema": (*LIMITS.schema, Field("new", String))}, [("schema.new", None, "String", "")]),
        ({"schema": LIMITS.schema[:1]}, [("schema.rank", "Int64", None, "it is removed")]),
        ({"schema": (Field("limit", Float64), Field("rank", Int32))}, [
            ("schema.rank", "Int64", "Int32", "its type changes")
        ]),
        ({"schema": LIMITS.schema[::-1]}, [
            ("order of schema", "limit, rank", "rank, limit", "their order changes")
        ]),
        ({"schema": (Field("limit", Float64, description="d"), LIMITS.schema[1])}, [
            ("schema.limit.description", None, "d", "")
        ]),
    ],
)  # fmt: skip
def test_each_field_of_a_view_breaks_readers_or_not(
    changes: dict[str, Any], expected: list[tuple[str, str | None, str | None, str]]
) -> None:
    assert details(LIMITS, replace(LIMITS, **changes)) == expected


@pytest.mark.parametrize(
    ("aggregation", "text"),
    [
        (Aggregation("amount", "sum", windows=("7d",), closed="right"), ", upper edge included"),
        (Aggregation("amount", "sum", windows=("7d",), delay="1d"), ", delayed by 1d"),
        (Aggregation("amount", "sum", windows=("7d",), empty=0), ", 0 if empty"),
        (Aggregation("amount", "sum", windows=("7d",), empty=0.0), ", 0.0 if empty"),
    ],
)
def test_each_argument_of_an_aggregation_changes_values(
    aggregation: Aggregation, text: str
) -> None:
    plain = replace(ACTIVITY, aggregations=(Aggregation("amount", "sum", windows=("7d",)),))

    differences = details(plain, replace(plain, aggregations=(aggregation,)))

    before = "sum of amount over 7d: Float64"
    assert differences == [("features.amount_sum_7d", before, before + text, "its values change")]


def test_a_map_by_category_is_shown_with_its_category() -> None:
    counted = Aggregation("amount", "sum", by="merchant", windows=("7d",))

    differences = details(
        ACTIVITY, replace(ACTIVITY, aggregations=(*ACTIVITY.aggregations, counted))
    )

    assert [(field, after) for field, _, after, _ in differences] == [
        (
            "features.amount_sum_by_merchant_7d",
            "sum of amount by merchant over 7d: Map(String, Float64)",
        )
    ]


def test_a_window_on_another_grid_changes_values() -> None:
    sliding = Aggregation("*", "count", windows=(Sliding("7d", every="1d"),))
    shifted = replace(sliding, windows=(Sliding("7d", every="1d", offset="2h"),))
    plain = replace(ACTIVITY, aggregations=(sliding,))

    assert details(plain, replace(plain, aggregations=(shifted,))) == [
        (
            "features.count_7d_every_1d",
            "count of * over 7d every 1d: Int64",
            "count of * over 7d every 1d offset 2h: Int64",
            "its values change",
        )
    ]


def test_a_change_from_sample_to_population_changes_values() -> None:
    sample = Aggregation("amount", "stddev", windows=("7d",))
    plain = replace(ACTIVITY, aggregations=(sample,))

    differences = details(plain, replace(plain, aggregations=(replace(sample, ddof=0),)))

    before = "stddev of amount over 7d: Float64"
    assert differences == [
        ("features.amount_stddev_7d", before, f"{before}, ddof 0", "its values change")
    ]


def test_inputs_of_aggregations_may_come_and_go_but_types_of_features_may_not() -> None:
    fewer = replace(ACTIVITY, schema=ACTIVITY.schema[:1])
    retyped = replace(ACTIVITY, schema=(Field("amount", Int64), ACTIVITY.schema[1]))

    assert details(ACTIVITY, fewer) == [("schema.merchant", "String", None, "")]
    assert [(field, why) for field, _, _, why in details(ACTIVITY, retyped)] == [
        ("schema.amount", ""),
        ("features.amount_sum_1h", "its values change"),
        ("features.amount_sum_7d", "its values change"),
    ]


def test_splitting_windows_over_aggregations_changes_nothing() -> None:
    split = replace(
        ACTIVITY,
        aggregations=(
            Aggregation("amount", "sum", windows=("1h",)),
            Aggregation("amount", "sum", windows=("7d",)),
            Aggregation("*", "count", windows=("7d",)),
        ),
    )

    assert diff(manifest_of([ACTIVITY]), manifest_of([split])) == ()


def test_a_changed_key_breaks_its_entity_and_its_views() -> None:
    renamed = replace(CARD, join_keys=(Field("card_no", String),))
    other = replace(LIMITS, entities=(renamed,))

    entity, view = diff(manifest_of([LIMITS]), manifest_of([other]))

    assert entity == Change(
        "changed",
        "entity",
        "card",
        (
            Detail("join_keys.card_no", None, "String", "its key changes"),
            Detail("join_keys.card_id", "String", None, "its key changes"),
        ),
    )
    assert view.details == (
        Detail("join_keys", "card_id String", "card_no String", "its key changes"),
    )


def test_a_changed_view_builds_the_tables_of_those_derived_from_it() -> None:
    derived = replace(ACTIVITY, name="daily", source=ACTIVITY, aggregations=())
    before = manifest_of([derived])
    changed = replace(ACTIVITY, available_delay="1h")

    made = plan(applied(before), manifest_of([replace(derived, source=changed)]))

    assert [change.name for change in made.changes] == ["activity"]
    assert made.builds == ("activity", "daily")
    assert "    + source: view activity" in render(plan(None, before))
    other = replace(derived, source=LIMITS)
    [change] = diff(manifest_of([derived, LIMITS]), manifest_of([other, ACTIVITY]))
    assert change.details[0] == Detail("source", "view activity", "view limits", VALUES)


def test_a_changed_source_builds_the_tables_of_its_views() -> None:
    moved = replace(PAYMENTS, path="data/moved")
    others = [replace(view, source=moved) for view in (ACTIVITY, LIMITS)]

    made = plan(applied(manifest_of([ACTIVITY, LIMITS])), manifest_of(others))

    assert render(made) == [
        "~ source payments",
        "    ~ path: data/payments -> data/moved (breaking: its rows change)",
        "",
        "Changes: 1 changed; 1 breaking.",
        "Tables to build: 2 (activity, limits).",
        "Until then, a view that has a table is answered as before, without new features.",
    ]


def test_a_removed_view_or_service_breaks_readers() -> None:
    made = plan(applied(SMALL), manifest_of([CARD]))

    assert render(made) == [
        "- source payments",
        "- view activity (breaking: its readers fail)",
        "- view limits (breaking: its readers fail)",
        "- service scoring (breaking: its readers fail)",
        "",
        "Changes: 4 removed; 3 breaking.",
    ]
    assert [change.name for change in made.breaking] == ["activity", "limits", "scoring"]


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        (
            (ACTIVITY,),
            [("features.card_limit", "limits:limit", None, "it is removed")],
        ),
        (
            (ACTIVITY, LIMITS.with_prefix("card_")),
            [("features.card_rank", None, "limits:rank", "")],
        ),
        (
            (
                ACTIVITY,
                LIMITS[["limit"]].with_prefix("card_").with_join_keys({"card_id": "payer"}),
            ),
            [
                (
                    "features.card_limit",
                    "limits:limit",
                    "limits:limit, card_id from payer",
                    "its values change",
                )
            ],
        ),
        (
            (ACTIVITY, LIMITS[["limit"]].with_prefix("card_").strictly_before().at("seen")),
            [
                (
                    "features.card_limit",
                    "limits:limit",
                    "limits:limit, at seen, strictly before",
                    "its values change",
                )
            ],
        ),
        (
            (LIMITS[["limit"]].with_prefix("card_"), ACTIVITY),
            [
                (
                    "order of features",
                    "amount_sum_1h, amount_sum_7d, count_7d, card_limit",
                    "card_limit, amount_sum_1h, amount_sum_7d, count_7d",
                    "their order changes",
                )
            ],
        ),
    ],
)
def test_a_service_is_compared_by_the_columns_of_its_answer(
    features: tuple[FeatureView, ...], expected: list[tuple[str, str | None, str | None, str]]
) -> None:
    declared = manifest_of([ACTIVITY, LIMITS])
    old = Manifest.of([*declared.views, SCORING])
    new = Manifest.of([*declared.views, FeatureService("scoring", features=features)])

    [change] = diff(old, new)

    assert [(d.field, d.old, d.new, d.breaking) for d in change.details] == expected


def test_a_renamed_entity_with_the_same_key_breaks_no_reader() -> None:
    holder = Entity("holder", join_keys=CARD.join_keys)

    made = plan(applied(manifest_of([LIMITS])), manifest_of([replace(LIMITS, entities=(holder,))]))

    assert made.breaking == ()
    assert made.builds == ()
    assert [(change.action, change.name) for change in made.changes] == [
        ("removed", "card"),
        ("added", "holder"),
        ("changed", "limits"),
    ]


def test_long_texts_are_shown_on_one_short_line() -> None:
    query = "select *\n    from {source}\n    where x" + " > 1\n    and x" * 20
    made = plan(applied(manifest_of([LIMITS])), manifest_of([replace(LIMITS, transform=query)]))

    [line] = [line for line in render(made) if "transform" in line]

    assert line.startswith("    + transform: SELECT * FROM {source} WHERE x > 1 AND x")
    assert line.endswith("... (breaking: values change)")
    assert len(line) < 160


@pytest.mark.parametrize("other", ["SELECT *\n  FROM {source} -- all", "select * from {source};"])
def test_the_layout_of_sql_is_no_change(other: str) -> None:
    one = replace(LIMITS, transform="SELECT * FROM {source}")

    made = plan(applied(manifest_of([one])), manifest_of([replace(one, transform=other)]))

    assert made.is_empty


def test_an_on_demand_view_is_planned_and_nothing_is_built_for_it() -> None:
    used = FeatureService("used", features=(SHAPE[["share"]].with_prefix("now_"),))
    built = applied(manifest_of([ACTIVITY, LIMITS, CHECKOUT]))

    made = plan(built, manifest_of([used]))

    assert made.builds == ()
    assert render(made)[:-2] == [
        "+ on-demand view shape",
        "    + sources: limits, activity, checkout",
        "    + schema: share, over",
        "    + transform: share, over",
        "    + inputs: limit, amount_sum_1h, price",
        "+ service used",
        "    + features: now_share",
    ]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (
            {"transform": {**SHAPE.transform, "share": "price"}},
            [("transform.share", "price / amount_sum_1h", "price", VALUES)],
        ),
        (
            {"sources": (LIMITS[["limit"]], *SHAPE.sources[1:])},
            [("inputs.limit", "limits:limit, strictly before", "limits:limit", VALUES)],
        ),
        (
            {
                "sources": (
                    *SHAPE.sources[:2],
                    replace(CHECKOUT, schema=(*CHECKOUT.schema, Field("n", Int64))),
                )
            },
            [("inputs.n", None, "checkout (request): Int64", "requests must contain it")],
        ),
        (
            {"sources": (*SHAPE.sources, LIMITS[["rank"]])},
            [("inputs.rank", None, "limits:rank", "")],
        ),
        (
            {"schema": SHAPE.schema[:1]},
            [("schema.over", "Float64", None, "it is removed")],
        ),
        ({"description": "new"}, [("description", None, "new", "")]),
    ],
)
def test_what_changes_in_an_on_demand_view_is_told_to_its_readers(
    changed: dict[str, Any], expected: list[tuple[str, str | None, str | None, str]]
) -> None:
    changes = diff(manifest_of([SHAPE]), manifest_of([replace(SHAPE, **changed)]))

    [change] = [each for each in changes if each.kind == "on-demand view"]
    assert [(d.field, d.old, d.new, d.breaking) for d in change.details] == expected


def test_a_function_that_moves_is_a_change_since_readers_import_it() -> None:
    here, there = (
        replace(SHAPE, transform=Code("shape", "def shape(): ...", "9f3c", module))
        for module in ("defs.a", "defs.b")
    )

    assert details(here, there) == [("transform.module", "defs.a", "defs.b", VALUES)]
    assert diff(manifest_of([SHAPE]), Manifest())[-1].removal == "its readers fail"


def test_a_changed_schedule_is_shown_and_builds_nothing() -> None:
    before, after = replace(LIMITS, schedule="@daily"), replace(LIMITS, schedule="0 3 * * *")

    made = plan(applied(manifest_of([before])), manifest_of([after]))

    assert details(before, after) == [("schedule", "@daily", "0 3 * * *", "")]
    assert (made.builds, made.is_empty) == ((), False)
    assert "    ~ schedule: @daily -> 0 3 * * * (no table is built for it)" in render(made)
    assert details(LIMITS, before) == [("schedule", None, "@daily", "")]
    assert details(before, LIMITS) == [("schedule", "@daily", None, "")]


def test_a_view_without_a_schedule_has_the_document_of_earlier_releases() -> None:
    assert '"schedule"' not in canonical_json(encode(manifest_of([LIMITS])))


def test_two_long_texts_are_shown_where_they_differ() -> None:
    columns = ", ".join(f"column_{number}" for number in range(40))
    old, new = (f"SELECT {columns}, {last} AS last FROM {{source}}" for last in ("a + 1", "a + 2"))
    before, after = replace(LIMITS, transform=old), replace(LIMITS, transform=new)

    [line] = [
        line
        for line in render(plan(applied(manifest_of([before])), manifest_of([after])))
        if "transform" in line
    ]

    assert "a + 1" in line.partition(" -> ")[0]
    assert "a + 2" in line.partition(" -> ")[2]
