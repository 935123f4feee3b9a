"""No text of a definition has a credential in it, and the problem does not show it."""

import os
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.manifest import Definition
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.service import FeatureService
from featurestore.definitions.model.source import RequestSource
from featurestore.definitions.model.types import Field, Float64, Int64, String
from tests.definitions.rules.cases import CARD, PAYMENTS, SCHEMA, issues, view

URL = "s3://AKIAKEY:CANARY@bucket/x?sig=CANARY"
CHECKOUT = RequestSource("checkout", schema=(Field("price", Int64),))


def read_jdbc(rows: pa.Table) -> pa.Table:
    connection = "jdbc:postgresql://reader:CANARY@host/shop"
    return rows.append_column("amount", [connection])


def set_key(rows: Any) -> Any:
    rows.sparkSession.conf.set("fs.s3a.secret.key", "CANARY")
    return rows


def set_option(rows: Any) -> Any:
    return rows.sparkSession.read.format("jdbc").option("password", "CANARY").load()


def connect(rows: Any) -> Any:
    return rows.sparkSession.read.options(user="reader", password="CANARY").load()


def read_environment(rows: Any) -> Any:
    options = {"user": "reader", "password": os.environ["PASSWORD"]}
    return rows.sparkSession.read.options(**options, url="x?token=%").load()


def on_demand(transform: object) -> OnDemandFeatureView:
    return OnDemandFeatureView(
        "worth", sources=(CHECKOUT,), schema=(Field("worth", Float64),), transform=transform
    )


@pytest.mark.parametrize(
    ("definition", "field"),
    [
        (replace(PAYMENTS, path=URL), "path"),
        (replace(PAYMENTS, description=f"copied from {URL}"), "description"),
        (replace(PAYMENTS, tags=("a", URL)), "tags"),
        (Entity("card", join_keys=(Field("id", String, description=URL),)), "join_keys"),
        (view(owner=URL), "owner"),
        (view(schema=(*SCHEMA, Field("x", Int64, description=URL))), "schema"),
        (view(transform=f"SELECT *, '{URL}' AS x FROM {{source}}"), "transform"),
        (view(transform=read_jdbc), "transform"),
        (view(transform=set_key), "transform"),
        (view(transform=set_option), "transform"),
        (view(transform=connect), "transform"),
        (view(description="host=h user=reader password=CANARY"), "description"),
        (view(owner="AWS_SECRET_ACCESS_KEY=CANARY"), "owner"),
        (on_demand({"worth": f"if(price > 1, '{URL}', '')::DOUBLE"}), "transform"),
        (on_demand(read_jdbc), "transform"),
        (FeatureService("fraud", features=(view(),), description=URL), "description"),
    ],
)
def test_a_credential_in_a_text_is_refused_and_not_shown(
    definition: Definition, field: str
) -> None:
    found = [each for each in issues(definition) if each.rule == "texts_have_no_credentials"]

    assert [f"{definition.name!r}: {field} " in each.message for each in found] == [True]
    assert "CANARY" not in str(found)


@pytest.mark.parametrize(
    "condition",
    [
        "url LIKE '%?token=abc%'",
        "url LIKE '%&key=5%' AND amount > 1",
        "regexp_extract(url, '[?&]sig=([^&]+)') <> ''",
        "url = 'https://shop.example.com/x?page=2' AND mail LIKE 'anna@%'",
    ],
)
def test_a_pattern_in_sql_is_no_credential(condition: str) -> None:
    view_of_sql = view(transform=f"SELECT * FROM {{source}} WHERE {condition}")
    computed = on_demand({"worth": f"if({condition}, 1, 0)::DOUBLE"})

    found = {each.rule for each in issues(view_of_sql, computed)}

    assert "texts_have_no_credentials" not in found


def test_code_that_reads_a_password_elsewhere_is_allowed() -> None:
    found = {each.rule for each in issues(view(transform=read_environment))}

    assert "texts_have_no_credentials" not in found


def test_other_problems_do_not_show_it_either() -> None:
    wrong = [replace(PAYMENTS, timezone=URL), replace(CARD, join_keys=URL)]

    problems = issues(*wrong)

    assert {each.rule for each in problems} > {"texts_have_no_credentials"}
    assert "CANARY" not in str(problems)
