import importlib
import os
import py_compile
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from textwrap import dedent

import pytest

from featurestore.definitions.code.fingerprint import function_code, table_fingerprint
from featurestore.definitions.loading.loader import load
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.origin import Origin
from featurestore.definitions.rules import Issue, Rule
from featurestore.errors import DefinitionError, ProjectError
from tests.definitions.project import CARDS, write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "feature_defs"


def problems(folder: Path, further_checks: Iterable[Rule] = ()) -> dict[str, str]:
    """Return the problems of definitions that do not load: the message by file and line."""
    with pytest.raises(DefinitionError) as caught:
        load(folder, further_checks=further_checks)
    assert caught.value.exit_code == 2
    count, *lines = caught.value.found.splitlines()
    assert int(count.split()[0]) == len(lines)
    messages = (line.strip().split(": ", maxsplit=1) for line in lines)
    return {origin.removeprefix("feature_defs/"): message for origin, message in messages}


def test_all_modules_are_loaded_and_each_definition_counts_once(folder: Path) -> None:
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


def test_of_modules_with_an_underscore_only_what_others_use_counts(folder: Path) -> None:
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


def test_origins_are_relative_to_the_project(folder: Path) -> None:
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


def test_the_folders_of_two_projects_may_have_one_name(tmp_path: Path) -> None:
    one = write(tmp_path / "one" / "feature_defs", {"cards.py": CARDS})
    other = write(tmp_path / "other" / "feature_defs", {"cards.py": CARDS.replace("1d", "3d")})

    ttls = [load(folder).views[0].ttl for folder in (one, other, one)]

    assert ttls == ["1d", "3d", "1d"]


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

    messages = problems(folder)

    causes = {
        "a_syntax.py:7": "SyntaxError: '(' was never closed (a_syntax.py, line 7)",
        "b_name.py:8": "NameError: name 'card_of' is not defined",
        "_deep.py:8": "ZeroDivisionError: division by zero",
        "d_exit.py:7": "SystemExit: 3",
    }
    assert list(messages) == list(causes)
    assert [messages[line].endswith(cause) for line, cause in causes.items()] == [True] * 4
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

    messages = problems(folder)

    assert list(messages) == ["broken.py:7"]
    assert messages["broken.py:7"].endswith("ZeroDivisionError: division by zero")


def test_a_broken_module_hides_no_problem_of_the_other_modules(folder: Path) -> None:
    cards = CARDS.replace("1d", "7x")
    fine = CARDS.replace("activity", "other").replace("payments", "refunds")
    write(folder, {"a.py": "x = 1 / 0", "cards.py": cards, "fine.py": fine})
    looked_at: list[Manifest] = []

    def look(sound: Manifest) -> list[Issue]:
        looked_at.append(sound)
        return [Issue(sound.views[0].source.origin, "no data")]

    messages = problems(folder, further_checks=[look])

    assert list(messages) == ["a.py:7", "cards.py:9", "fine.py:8"]
    assert [[each.name for each in sound.views] for sound in looked_at] == [["other"]]


def test_no_look_is_taken_at_definitions_without_problems(folder: Path) -> None:
    def look(sound: Manifest) -> list[Issue]:
        raise AssertionError

    assert load(write(folder, {"cards.py": CARDS}), further_checks=[look]).views


def test_a_transform_whose_module_fails_inside_of_it_is_a_problem(folder: Path) -> None:
    function = """\
        def halve(df):
            from ._numbers import HALF
            return df * HALF
        """
    cards = dedent(function) + CARDS.replace('ttl="1d"', "transform=halve")
    write(folder, {"_numbers.py": "HALF = 1 / 0", "cards.py": cards})

    assert list(problems(folder)) == ["cards.py:12"]


def test_for_a_misspelt_module_the_nearest_is_offered(folder: Path) -> None:
    write(folder, {"fraud/cards.py": CARDS, "a.py": "from feature_defs.fraud.crads import card"})

    message = problems(folder)["a.py:7"]

    assert "ModuleNotFoundError: No module named 'feature_defs.fraud.crads'" in message
    assert message.partition("crads'")[2].count("'feature_defs.fraud.cards'") == 1


@pytest.mark.parametrize(
    ("line", "error", "names", "end"),
    [
        (
            "from feature_defs.cards import crad",
            "ImportError",
            ("'crad'", "'feature_defs.cards'"),
            "'card'?",
        ),
        ("card = Entiti('card')", "NameError", ("'Entiti'",), "'Entity'?"),
        (
            "import featurestore as fs; x = fs.Strin",
            "AttributeError",
            ("'featurestore'", "'Strin'"),
            "?",
        ),
        ("import sparkk", "ModuleNotFoundError", (), "'sparkk'"),
    ],
)
def test_for_a_misspelt_name_the_nearest_is_offered(
    folder: Path, line: str, error: str, names: tuple[str, ...], end: str
) -> None:
    write(folder, {"cards.py": CARDS, "a.py": line})

    message = problems(folder)["a.py:7"]

    assert f"{error}: " in message
    assert [name for name in names if name not in message] == []
    assert message.endswith(end)
    assert ("'String'" in message) == (error == "AttributeError")


def test_for_a_misspelt_argument_the_nearest_is_offered(folder: Path) -> None:
    write(folder, {"cards.py": CARDS.replace("schema=", "shema=")})

    message = problems(folder)["cards.py:9"]

    assert "DefinitionError: FeatureView()" in message
    assert "'shema'" in message
    assert message.endswith("'schema'?")


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

    messages = problems(folder)

    assert list(messages) == ["cards.py:9", "services.py:10"]
    assert messages["cards.py:9"].startswith("view 'activity': ttl '7x' ")
    assert messages["services.py:10"].startswith("service 'scoring': view 'activity' ")
    assert messages["services.py:10"].endswith("'amount'?")


def test_of_two_definitions_of_one_name_both_lines_are_named(folder: Path) -> None:
    write(folder, {"a.py": CARDS, "b.py": CARDS.replace("1d", "2d")})

    messages = problems(folder)

    assert list(messages) == ["b.py:9"]
    assert messages["b.py:9"].startswith("view 'activity' ")
    assert "feature_defs/a.py:9" in messages["b.py:9"]
    assert "ttl" in messages["b.py:9"]


@pytest.mark.parametrize("name", ["feature-defs", "json", "pyarrow", "featurestore"])
def test_a_folder_that_cannot_be_a_package_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()

    with pytest.raises(ProjectError) as caught:
        load(tmp_path / name)

    assert repr(name) in caught.value.found
    assert "'feature_defs'" in caught.value.fix


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as caught:
        load(tmp_path / "nowhere")

    assert "nowhere" in caught.value.call
    assert "`definitions`" in caught.value.fix


def test_an_empty_folder_declares_nothing(folder: Path) -> None:
    folder.mkdir()

    assert load(folder).views == ()


def test_the_folder_may_have_any_name_and_lie_anywhere(tmp_path: Path) -> None:
    manifest = load(write(tmp_path / "what_we_know", {"cards.py": CARDS}))

    assert [view.name for view in manifest.views] == ["activity"]


def test_an_edited_module_beside_the_folder_is_seen(folder: Path) -> None:
    folder.mkdir()
    sibling = folder.parent / "rates_beside_defs.py"
    text = "def twice(rows):\n    return rows * {}\n"
    top = "from rates_beside_defs import twice\ndef tr(rows):\n    return twice(rows)\n"
    write(folder, {"cards.py": top + CARDS.replace('ttl="1d"', "transform=tr")})

    results = []
    for factor in (2, 3):  # of one size, and perhaps of one time
        sibling.write_text(text.format(factor))
        view = load(folder).views[0]
        results.append((view.transform(1), function_code(view.transform).fingerprint))

    assert [value for value, _ in results] == [2, 3]
    assert results[0][1] != results[1][1]


def test_code_that_was_edited_after_its_import_is_not_taken_for_the_new_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library, folder = tmp_path / "library", tmp_path / "project" / "feature_defs"
    library.mkdir()
    monkeypatch.syspath_prepend(str(library))
    module = library / "rates_of_the_company.py"
    module.write_text("def twice(rows):\n    return rows * 2\n")
    importlib.import_module("rates_of_the_company")
    top = "from rates_of_the_company import twice\ndef tr(rows):\n    return twice(rows)\n"
    write(folder, {"cards.py": top + CARDS.replace('ttl="1d"', "transform=tr")})
    load(folder)

    module.write_text("def twice(rows):\n    return rows * 3\n")

    with pytest.raises(DefinitionError, match="'twice'"):
        load(folder)


@pytest.mark.parametrize("name", ["keys", "_keys"])
@pytest.mark.parametrize("inside", ["", "shop/"])
def test_a_module_can_import_its_sibling_by_its_bare_name(
    folder: Path, name: str, inside: str
) -> None:
    write(
        folder,
        {
            f"{inside}{name}_of_shop.py": """\
                card = Entity("card", join_keys=(Field("card_id", String),))
                def halve(rows):
                    return rows / 2
                """,
            f"{inside}views.py": f"""\
                from {name}_of_shop import card, halve
                import {name}_of_shop as keys
                clicks = DeltaSource("clicks", path="clicks", timestamp_field="at")
                x = Field("x", Int64)
                view = FeatureView("v", entities=(keys.card,), source=clicks, schema=(x,),
                                   transform=halve)
                """,
        },
    )

    manifest = load(folder)

    package = ".".join(("feature_defs", *inside.strip("/").split()))
    assert [entity.name for entity in manifest.entities] == ["card"]
    assert manifest.views[0].transform.__module__ == f"{package}.{name}_of_shop"
    assert sys.modules[f"{package}.{name}_of_shop"].__spec__.name == f"{package}.{name}_of_shop"


def test_a_library_does_not_import_a_module_of_the_definitions_by_its_bare_name(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "site-packages"
    library.mkdir()
    (library / "some_library.py").write_text(
        "try:\n    import tables_of_shop\nexcept ImportError:\n    tables_of_shop = None\n"
    )
    monkeypatch.syspath_prepend(str(library))
    write(
        folder,
        {
            "tables_of_shop.py": "",
            "views.py": "import some_library\nassert some_library.tables_of_shop is None",
        },
    )

    assert load(folder).views == ()


def test_text_that_definitions_print_does_not_go_to_stdout(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, {"cards.py": "print('loading')\n" + CARDS})

    load(folder)

    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "loading\n")


@pytest.mark.slow
def test_threads_load_at_the_same_time(tmp_path: Path) -> None:
    top = (
        "from ._helpers import Rate\nimport json, decimal\n"
        "def tr(rows):\n    from ._late import LATE\n    return rows, Rate(2), LATE\n"
    )
    modules = {
        "_helpers.py": "class Rate:\n    def __init__(self, by):\n        self.by = by\n",
        "_late.py": "LATE = 1",
        "cards.py": top + CARDS.replace('ttl="1d"', "transform=tr"),
    }
    folders = [write(tmp_path / name / "feature_defs", modules) for name in ("one", "other")]

    def fingerprints(folder: Path) -> set[str]:
        return {table_fingerprint(load(folder).views[0]) for _ in range(10)}

    with ThreadPoolExecutor(8) as threads:
        found = set.union(*threads.map(fingerprints, folders * 4))

    assert len(found) == 1


def test_for_a_misspelt_sibling_the_nearest_is_offered(folder: Path) -> None:
    write(folder, {"entities.py": "", "views.py": "from entitie import card"})

    assert "'entities'" in problems(folder)["views.py:7"]


def test_code_that_needs_spark_at_its_import_is_told_where_to_stand(folder: Path) -> None:
    lines = (
        "F.col('v') * 2",
        "F.lit(1)",
        "F.expr('v + 1')",
        "F.col('v').cast('double')",
    )
    write(folder, {f"m{n}.py": f"X = {line}" for n, line in enumerate(lines)})
    for file in folder.iterdir():
        file.write_text("from pyspark.sql import functions as F\n" + file.read_text())
    program = (
        "import sys, pathlib\n"
        "from featurestore.definitions.loading.loader import load\n"
        "from featurestore.errors import DefinitionError\n"
        "try:\n    load(pathlib.Path(sys.argv[1]))\n"
        "except DefinitionError as error:\n    print(error.found)"
    )

    # In a process of its own: another test may have started Spark in this one.
    found = subprocess.run(
        [sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=True
    ).stdout

    assert found.count("inside the transform") == len(lines)


@pytest.mark.parametrize("first", ["", "import pyspark.sql.udf\n"])
def test_a_udf_may_have_its_type_as_a_text(folder: Path, first: str) -> None:
    text = """\
        import pandas as pd
        from pyspark.sql.functions import pandas_udf, udf
        @udf("double")
        def twice(x):
            return x * 2
        @pandas_udf("double")
        def half(x: pd.Series) -> pd.Series:
            return x / 2
        def tr(rows):
            return rows.withColumn("amount", twice(half("amount")))
        """
    write(folder, {"cards.py": dedent(text) + CARDS.replace('ttl="1d"', "transform=tr")})
    program = first + (
        "import sys, pathlib\n"
        "from featurestore.definitions.loading.loader import load\n"
        "from featurestore.definitions.code.fingerprint import table_fingerprint\n"
        "print(table_fingerprint(load(pathlib.Path(sys.argv[1])).views[0]))"
    )

    found = []
    for kind in ("double", "float", "double"):
        (folder / "cards.py").write_text(
            (folder / "cards.py").read_text().replace('@udf("double")', f'@udf("{kind}")')
        )
        run = [sys.executable, "-c", program, str(folder)]
        found.append(subprocess.run(run, capture_output=True, text=True, check=True).stdout)
        (folder / "cards.py").write_text(
            (folder / "cards.py").read_text().replace(f'@udf("{kind}")', '@udf("double")')
        )

    assert found[0] == found[2] != found[1]


@pytest.mark.parametrize("init", [{}, {"shop/__init__.py": ""}])
def test_a_module_below_a_sibling_is_the_packages_module(
    folder: Path, init: dict[str, str]
) -> None:
    write(
        folder,
        {
            **init,
            "shop/keys.py": """\
                card = Entity("card", join_keys=(Field("card_id", String),))
                def halve(rows):
                    return rows / 2
                """,
            "views.py": """\
                from shop.keys import card, halve
                import shop.keys
                from feature_defs.shop.keys import halve as same
                assert halve is same is shop.keys.halve
                """,
        },
    )

    assert [entity.name for entity in load(folder).entities] == ["card"]


def test_a_folder_of_definitions_on_the_path_gives_no_second_modules(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    write(
        folder,
        {
            "keys_of_shop.py": "def halve(rows):\n    return rows / 2\n",
            "views.py": "from keys_of_shop import halve\nfrom .keys_of_shop import halve as same\n"
            "assert halve is same",
        },
    )

    assert load(folder).views == ()
