"""docs/definitions.md has every argument of every definition, and its example passes all rules."""

import re
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path

import pytest

import featurestore as fs
from featurestore.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "definitions.md").read_text("utf-8")
# Types with their arguments in the table of types, and uses that only methods of views make.
NOT_WRITTEN_BY_NAME = {"Array", "Decimal", "FeatureReference", "OnDemandReference"}
CLASSES = sorted(
    name
    for name in fs.__all__
    if is_dataclass(getattr(fs, name))
    and isinstance(getattr(fs, name), type)
    and getattr(fs, name).__module__.startswith("featurestore.definitions.model.")
    and name not in NOT_WRITTEN_BY_NAME
)


def rows_below(heading: str) -> list[list[str]]:
    """Return the cells of the first table below a heading, without its first two lines."""
    section = re.split(rf"^##+ {re.escape(heading)}\n", PAGE, flags=re.MULTILINE)[1]
    table = section[section.index("\n|") + 1 :].partition("\n\n")[0]
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()
    ][2:]


def arguments_of(kind: type) -> list[Field[object]]:
    return [field for field in fields(kind) if field.init]  # type: ignore[arg-type]  # a dataclass


def written(default: object) -> str:
    """Return a default as the page writes it."""
    if default is MISSING:
        return "required"
    return "`" + repr(default).replace("'", '"') + "`"


def test_the_classes_are_those_of_definitions() -> None:
    assert {"Entity", "FileSource", "FeatureView", "Aggregation", "Sliding"} <= set(CLASSES)


@pytest.mark.parametrize("name", CLASSES)
def test_every_argument_has_a_row_with_its_default(name: str) -> None:
    arguments = arguments_of(getattr(fs, name))

    assert [(row[0], row[2]) for row in rows_below(name)] == [
        (f"`{each.name}`", written(each.default)) for each in arguments
    ]
    assert all(row[1] and row[3] for row in rows_below(name))


@pytest.mark.parametrize("name", ["Array", "Decimal"])
def test_every_argument_of_a_type_is_in_the_table_of_types(name: str) -> None:
    names = ", ".join(each.name for each in arguments_of(getattr(fs, name)))

    assert f"`fs.{name}({names})`" in PAGE


@pytest.mark.parametrize("use", [fs.FeatureReference, fs.OnDemandReference])
def test_every_method_of_a_use_is_on_the_page(use: type) -> None:
    methods = [name for name, value in vars(use).items() if callable(value) and name[0] != "_"]

    assert methods
    assert [name for name in methods if f"view.{name}(" not in PAGE] == []


def test_every_setting_has_a_row_with_its_default() -> None:
    settings = [each for each in arguments_of(Settings) if each.name != "folder"]
    # The file has the tables of all environments; the settings have the name of one.
    names = {each.name: each.name for each in settings} | {"environment": "environments"}

    assert [(row[0], row[1]) for row in rows_below("featurestore.toml")] == [
        (f"`{names[each.name]}`", in_toml(each.default)) for each in settings
    ]


def in_toml(default: object) -> str:
    """Return a default as featurestore.toml writes it: ``false`` is lower case there."""
    if default is None:
        return "none"
    if default == ():
        return "`[]`"
    return f"`{str(default).lower()}`" if isinstance(default, bool) else written(default)


def test_the_example_passes_all_rules_and_is_found_as_a_whole(tmp_path: Path) -> None:
    (example,) = (
        block
        for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
        if not block.startswith(">>>")
    )
    (tmp_path / "feature_defs").mkdir()
    (tmp_path / "feature_defs" / "fraud.py").write_text(example, "utf-8")
    (settings,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "featurestore.toml").write_text(settings, "utf-8")

    manifest = fs.FeatureStore(tmp_path).load()

    declared = re.findall(r'= fs\.\w+\(\n? *"(\w+)"', example)
    assert sorted(each.name for each in manifest.definitions) == sorted(declared)
    assert len(declared) == 10
