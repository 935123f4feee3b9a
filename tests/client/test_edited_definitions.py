"""A definition that is passed answers only if it is the one that is applied, its code included."""

import importlib.util
import sys

import pytest

import featurestore as fs

DEFINITIONS = """
import featurestore as fs

card = fs.Entity("card", join_keys=(fs.Field("id", fs.Int64),))
paid = fs.DeltaSource("paid", path="data/paid", timestamp_field="at")
order = fs.RequestSource("order", schema=(fs.Field("price", fs.Float64),))


def settled(rows):
    return rows.where("amount > 0")


def double(rows):
    return {"twice": rows["price"]}


amount = fs.FeatureView(
    "amount", entities=card, source=paid, transform=settled, schema=fs.Field("amount", fs.Float64)
)
city = fs.FeatureView(
    "city",
    entities=card,
    source=paid,
    transform="SELECT * FROM {source}",
    schema=fs.Field("city", fs.String),
)
shape = fs.OnDemandFeatureView(
    "shape", sources=order, transform=double, schema=fs.Field("twice", fs.Float64)
)
half = fs.OnDemandFeatureView(
    "half", sources=order, transform={"part": "price / 2"}, schema=fs.Field("part", fs.Float64)
)
both = fs.FeatureService("both", features=(amount, city, shape))
"""


@pytest.fixture
def store(tmp_path):
    (tmp_path / "featurestore.toml").write_text('project = "shop"\n')
    (tmp_path / "feature_defs").mkdir()
    (tmp_path / "feature_defs" / "shop.py").write_text(DEFINITIONS)
    made = fs.FeatureStore(tmp_path)
    made.apply(made.plan())
    return made


def imported(tmp_path, text, name):
    path = tmp_path / f"{name}.py"
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["amount", "city", "shape", "half", "both"])
def test_the_same_definition_from_another_module_is_the_applied_one(store, tmp_path, name):
    module = imported(tmp_path, DEFINITIONS, "same_shop")

    assert len(store.status(getattr(module, name))) in (1, 3)
    declared = store.load()
    own = declared.view(name) or declared.on_demand_view(name) or declared.service(name)
    assert store.status(own) == store.status([name])


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("amount > 0", "amount > 1", ("amount", "both")),
        ("SELECT * FROM", "SELECT DISTINCT * FROM", ("city", "both")),
        ('rows["price"]', 'rows["price"] * 2', ("shape", "both")),
        ("price / 2", "price / 3", ("half",)),
        ('path="data/paid"', 'path="data/other"', ("amount", "city", "both")),
        ('"price", fs.Float64', '"price", fs.Int64', ("shape", "half", "both")),
    ],
)
def test_an_edited_definition_is_refused(store, tmp_path, old, new, names):
    module = imported(tmp_path, DEFINITIONS.replace(old, new), "edited_shop")

    for name in names:
        for call in (
            lambda one: store.status(one),
            lambda one: store.get_historical_features(one, []),
        ):
            with pytest.raises(fs.RequestError) as error:
                call(getattr(module, name))
            assert f"'{name}'" in error.value.found
            assert "featurestore apply" in error.value.fix


def test_a_function_without_a_text_is_refused(store):
    made: dict[str, object] = {}
    exec(DEFINITIONS, made)

    with pytest.raises(fs.RequestError, match="'amount'"):
        store.status(made["amount"])
