import os
import py_compile
import sys
from pathlib import Path

import pytest

from featurestore.definitions.loading.loader import load
from featurestore.definitions.origin import Origin
from featurestore.errors import DefinitionError, ProjectError
from tests.definitions.project import CARDS, write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "feature_defs"


def test_all_modules_are_loaded_and_each_object_counts_once(folder: Path) -> None:
    write(
        folder,
        {
            "fraud/cards.py": CARDS,
            "fraud/services.py": """\
                from .cards import activity
                scoring = FeatureService("scoring", features=(activity,))
                """,
            "health.py": """\
                from feature_defs.fraud.cards import card
                patient = Entity("patient", join_keys=(Field("patient_id", Int64),))
                """,
        },
    )

    manifest = load(folder)

    assert [entity.name for entity in manifest.entities] == ["card", "patient"]
    assert [source.name for source in manifest.sources] == ["payments"]
    assert [view.name for view in manifest.views] == ["activity"]
    assert [service.name for service in manifest.services] == ["scoring"]


def test_helpers_are_importable_and_only_what_others_use_of_them_counts(folder: Path) -> None:
    write(
        folder,
        {
            "_shared/keys.py": """\
                used = Field("card_id", String)
                card = Entity("card", join_keys=(used,))
                unused = Entity("unused", join_keys=(used,))
                """,
            "_broken.py": "1 / 0",
            "views.py": """\
                from ._shared.keys import card as key
                clicks = DeltaSource("clicks", path="clicks", timestamp_field="at")
                x = Field("x", Int64)
                view = FeatureView("v", entities=(key,), source=clicks, schema=(x,))
                """,
        },
    )

    manifest = load(folder)

    assert [entity.name for entity in manifest.entities] == ["card"]
    assert [view.name for view in manifest.views] == ["v"]


def test_definitions_in_a_list_tuple_or_dict_count_once_however_often_they_are_named(
    folder: Path,
) -> None:
    write(
        folder,
        {
            "cards.py": CARDS,
            "services.py": """\
                from .cards import *
                def view(name):
                    fields = (Field(f"x{name}", Int64),)
                    return FeatureView(name, entities=(card,), source=payments, schema=fields)
                VIEWS = [activity, view("v0"), view("v1")]
                services = tuple(FeatureService(each.name, features=(each,)) for each in VIEWS)
                by_name = {
                    "nested": [FeatureService("nested", features=(activity,))],
                    "more": FeatureService("more", features=tuple(VIEWS)),
                }
                """,
        },
    )

    manifest = load(folder)

    assert [view.name for view in manifest.views] == ["activity", "v0", "v1"]
    assert [service.name for service in manifest.services] == ["activity", "more", "v0", "v1"]


def test_an_init_module_is_a_module_like_others(folder: Path) -> None:
    write(folder, {"fraud/__init__.py": CARDS})

    assert load(folder).views[0].name == "activity"


def test_places_are_relative_to_the_project(folder: Path) -> None:
    write(folder, {"fraud/cards.py": CARDS})

    view = load(folder).views[0]

    assert view.origin == Origin("feature_defs/fraud/cards.py", 9)
    assert view.schema[0].origin == Origin("feature_defs/fraud/cards.py", 13)
    assert load(folder, project=folder / "fraud").views[0].origin == Origin("cards.py", 9)


def test_an_edit_that_keeps_size_and_time_is_seen(folder: Path) -> None:
    file = write(folder, {"cards.py": CARDS}) / "cards.py"
    before = file.stat()
    py_compile.compile(str(file))
    first = load(folder)

    file.write_text(file.read_text().replace('ttl="1d"', 'ttl="2d"'))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert first.views[0].ttl == "1d"
    assert load(folder).views[0].ttl == "2d"


def test_an_edited_helper_is_seen(folder: Path) -> None:
    module = "from ._days import TTL\n" + CARDS.replace('"1d"', "TTL")
    write(folder, {"_days.py": 'TTL = "1d"', "cards.py": module})
    first = load(folder)

    write(folder, {"_days.py": 'TTL = "9d"'})

    assert first.views[0].ttl == "1d"
    assert load(folder).views[0].ttl == "9d"


def test_two_projects_may_call_their_folder_alike(tmp_path: Path) -> None:
    one = write(tmp_path / "one" / "feature_defs", {"cards.py": CARDS})
    other = write(tmp_path / "other" / "feature_defs", {"cards.py": CARDS.replace("1d", "3d")})

    found = [load(folder).views[0].ttl for folder in (one, other, one)]

    assert found == ["1d", "3d", "1d"]


def test_a_removed_module_is_gone(folder: Path) -> None:
    write(folder, {"cards.py": CARDS, "more.py": 'm = Entity("m", join_keys=(Field("m", Date),))'})
    load(folder)

    (folder / "more.py").unlink()

    assert [entity.name for entity in load(folder).entities] == ["card"]


def test_loading_leaves_the_import_system_as_it_was(folder: Path) -> None:
    write(folder, {"cards.py": CARDS})
    path, finders = list(sys.path), list(sys.meta_path)

    load(folder)

    assert sys.path == path
    assert sys.meta_path == finders
    assert not list(folder.rglob("*.pyc"))


def test_a_sibling_of_the_folder_can_be_imported_while_loading(folder: Path) -> None:
    folder.mkdir()
    (folder.parent / "sibling_of_feature_defs.py").write_text('NAME = "card"')
    write(
        folder,
        {
            "cards.py": """\
                from sibling_of_feature_defs import NAME
                card = Entity(NAME, join_keys=(Field("card_id", String),))
                """
        },
    )

    assert load(folder).entities[0].name == "card"


def test_functions_can_import_from_the_package_after_loading(folder: Path) -> None:
    function = """\
def halve(rows):
    from feature_defs._numbers import HALF
    return rows * HALF
"""
    write(
        folder,
        {
            "_numbers.py": "HALF = 0.5",
            "cards.py": function + CARDS.replace('ttl="1d"', "transform=halve"),
        },
    )

    view = load(folder).views[0]

    assert view.transform(8) == 4.0


def test_every_broken_module_is_reported_with_line_and_cause(folder: Path) -> None:
    write(
        folder,
        {
            "a_syntax.py": "card = Entity(",
            "b_name.py": "\ncard = card_of('card')",
            "c_helper.py": "from ._deep import compute\ncompute()",
            "d_exit.py": "raise SystemExit(3)",
            "_deep.py": "def compute():\n    return 1 / 0\n",
            "fine.py": CARDS,
        },
    )

    with pytest.raises(DefinitionError) as caught:
        load(folder)

    assert caught.value.found.splitlines() == [
        "4 problems:",
        "  feature_defs/a_syntax.py:7: does not import: "
        "SyntaxError: '(' was never closed (a_syntax.py, line 7)",
        "  feature_defs/b_name.py:8: does not import: NameError: name 'card_of' is not defined",
        "  feature_defs/_deep.py:8: does not import: ZeroDivisionError: division by zero",
        "  feature_defs/d_exit.py:7: does not import: SystemExit: 3",
    ]
    assert caught.value.exit_code == 2
    assert "feature_defs.fine" not in sys.modules


def test_a_broken_module_that_others_import_is_reported_once(folder: Path) -> None:
    write(
        folder,
        {
            "a.py": "from feature_defs.broken import x",
            "b.py": "from .broken import x",
            "broken.py": "x = 1 / 0",
        },
    )

    with pytest.raises(DefinitionError) as caught:
        load(folder)

    assert caught.value.found.splitlines() == [
        "1 problem:",
        "  feature_defs/broken.py:7: does not import: ZeroDivisionError: division by zero",
    ]


def test_a_misspelt_module_is_answered_with_the_nearest(folder: Path) -> None:
    write(folder, {"fraud/cards.py": CARDS, "a.py": "from feature_defs.fraud.crads import card"})

    with pytest.raises(DefinitionError) as caught:
        load(folder)

    assert (
        "feature_defs/a.py:7: does not import: ModuleNotFoundError: No module named "
        "'feature_defs.fraud.crads'. Did you mean 'feature_defs.fraud.cards'"
    ) in caught.value.found


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "from feature_defs.cards import crad",
            "ImportError: cannot import name 'crad' from 'feature_defs.cards' (%s). "
            "Did you mean 'card'?",
        ),
        (
            "card = Entiti('card')",
            "NameError: name 'Entiti' is not defined. Did you mean 'Entity'?",
        ),
        (
            "import featurestore as fs; x = fs.Strin",
            "AttributeError: module 'featurestore' has no attribute 'Strin'. "
            "Did you mean 'String'",
        ),
        ("import sparkk", "ModuleNotFoundError: No module named 'sparkk'"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_nearest(
    folder: Path, line: str, problem: str
) -> None:
    write(folder, {"cards.py": CARDS, "a.py": line})

    with pytest.raises(DefinitionError) as caught:
        load(folder)

    expected = problem.replace("%s", str(folder / "cards.py"))
    assert f"  feature_defs/a.py:7: does not import: {expected}" in caught.value.found


def test_a_misspelt_argument_is_answered_with_the_nearest(folder: Path) -> None:
    write(folder, {"cards.py": CARDS.replace("schema=", "shema=")})

    with pytest.raises(DefinitionError) as caught:
        load(folder)

    assert (
        "feature_defs/cards.py:9: does not import: TypeError: FeatureView.__init__() got an "
        "unexpected keyword argument 'shema'. Did you mean 'schema'?"
    ) in caught.value.found


def test_problems_of_rules_are_all_reported_with_their_lines(folder: Path) -> None:
    write(
        folder,
        {
            "cards.py": CARDS.replace("1d", "7x"),
            "services.py": """\
                from .cards import activity
                scoring = FeatureService(
                    "scoring",
                    features=(activity[["amuont"]],),
                )
                """,
        },
    )

    with pytest.raises(DefinitionError) as caught:
        load(folder)

    assert caught.value.found.splitlines() == [
        "2 problems:",
        "  feature_defs/cards.py:9: view 'activity': ttl '7x' is not a whole number followed by "
        "s, m (minutes), h, d or w. Write for example '30s', '15m', '24h', '7d' or '4w'.",
        "  feature_defs/services.py:10: service 'scoring': view 'activity' has no feature "
        "'amuont'. Did you mean 'amount'?",
    ]


def test_two_objects_of_one_name_name_both_places(folder: Path) -> None:
    write(folder, {"a.py": CARDS, "b.py": CARDS.replace("1d", "2d")})

    with pytest.raises(DefinitionError) as caught:
        load(folder)

    assert caught.value.found.splitlines() == [
        "1 problem:",
        "  feature_defs/b.py:9: view 'activity' is declared a second time, after "
        "feature_defs/a.py:9, with another ttl: import the first, or rename one",
    ]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("feature-defs", "'feature-defs' cannot be the name of a Python package"),
        ("json", "the name 'json' is that of an installed package"),
        ("pyarrow", "the name 'pyarrow' is that of an installed package"),
        ("featurestore", "the name 'featurestore' is that of an installed package"),
    ],
)
def test_a_folder_that_cannot_be_a_package_is_refused(
    tmp_path: Path, name: str, found: str
) -> None:
    (tmp_path / name).mkdir()

    with pytest.raises(ProjectError) as caught:
        load(tmp_path / name)

    assert caught.value.found == found


def test_a_missing_folder_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as caught:
        load(tmp_path / "nowhere")

    assert caught.value.found == "there is no such folder"
    assert "definitions" in caught.value.fix


def test_an_empty_folder_declares_nothing(folder: Path) -> None:
    folder.mkdir()

    assert load(folder).views == ()


def test_any_other_name_will_do_wherever_python_is_started(tmp_path: Path) -> None:
    manifest = load(write(tmp_path / "what_we_know", {"cards.py": CARDS}))

    assert [view.name for view in manifest.views] == ["activity"]
