"""The fingerprint of a function changes if and only if its result may change."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from featurestore.definitions.code.fingerprint import (
    canonical_json,
    digest,
    function_code,
    table_fingerprint,
)
from featurestore.definitions.code.provenance import home
from featurestore.definitions.loading.loader import load
from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.source import DeltaSource, FileSource
from featurestore.definitions.model.types import Field, Float64, Int64, String
from featurestore.definitions.model.view import Code, FeatureView
from featurestore.errors import DefinitionError
from tests.definitions.project import CARDS, write

BASE = {
    "_numbers.py": "LIMIT = 3\nUNUSED = 1\nFACTORS = {'a': (1, 2)}\nWORDS = {'x', 'y', 'z'}",
    "_steps.py": """\
        from dataclasses import dataclass
        from enum import Enum
        import functools, logging, re
        from ._numbers import FACTORS, LIMIT
        from . import _numbers as numbers
        logger = logging.getLogger(__name__)
        PATTERN = re.compile("a+")
        class Mode(Enum):
            FAST = 1
        @dataclass(frozen=True)
        class Options:
            depth: int = 2
            def twice(self):
                return self.depth * numbers.LIMIT
        OPTIONS = Options(depth=5)
        def first(rows):
            logger.info("first")
            return [clean(row) for row in rows if row < LIMIT]
        def clean(row):
            return (lambda: row + numbers.FACTORS['a'][0])()
        def even(row):
            return row == 0 or odd(row - 1)
        def odd(row):
            return row != 0 and even(row - 1)
        def logged(function):
            @functools.wraps(function)
            def wrapper(rows):
                return function(rows)
            return wrapper
        @logged
        def last(rows, cut=LIMIT):
            return rows[-cut:]
        """,
    "cards.py": """\
        from . import _numbers
        from ._steps import Mode, OPTIONS, PATTERN, even, first, last
        def transform(rows):
            from ._late import LATE
            import json
            mode = Mode.FAST
            return last(first(rows)), even(2), OPTIONS.twice(), PATTERN, _numbers.WORDS, LATE
        """
    + CARDS.replace('ttl="1d"', "transform=transform").replace("\n", "\n" + " " * 8),
    "_late.py": "LATE = 1",
}


@pytest.fixture(autouse=True)
def no_byte_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write no byte code: for two texts of one second and one size Python would run the first."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)


def fingerprint(folder: Path, **edits: tuple[str, str]) -> str:
    modules = dict(BASE)
    for module, (old, new) in edits.items():
        assert old in modules[f"{module}.py"]
        modules[f"{module}.py"] = modules[f"{module}.py"].replace(old, new)
    view = load(write(folder / "feature_defs", modules)).views[0]
    return function_code(view.transform).fingerprint


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("cards", "def transform(rows):", "def transform(rows):  # a remark"),
        ("cards", "def transform(rows):", 'def transform(rows):\n            """Documented."""'),
        ("cards", "mode = Mode.FAST", "\n\n            mode = (\n                Mode.FAST)"),
        (
            "cards",
            "from . import _numbers",
            "\n\n        # moved down\n        from . import _numbers",
        ),
        ("_steps", "def clean(row):", "def clean(row):  # a remark"),
        ("_steps", "def twice(self):", "def twice(self):\n                'Documented.'"),
        ("_numbers", "UNUSED = 1", "UNUSED = 2"),
        ("_numbers", "{'x', 'y', 'z'}", "{'z', 'y', 'x'}"),
        ("_numbers", "LIMIT = 3", "LIMIT = 1 + 2"),
    ],
)
def test_an_edit_without_effect_does_not_change_the_fingerprint(
    tmp_path: Path, module: str, old: str, new: str
) -> None:
    assert fingerprint(tmp_path, **{module: (old, new)}) == fingerprint(tmp_path)


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("cards", "even(2)", "even(3)"),
        ("cards", "even(2)", "even(2.0)"),
        ("_steps", "row < LIMIT", "row <= LIMIT"),  # in a comprehension of a helper
        ("_numbers", "LIMIT = 3", "LIMIT = 4"),
        ("_numbers", "LIMIT = 3", "LIMIT = 3.0"),
        ("_numbers", "(1, 2)", "(2, 2)"),  # by an attribute of a module, in a lambda
        ("_numbers", "(1, 2)", "[1, 2]"),
        ("_numbers", "'z'", "'w'"),
        ("_steps", "row != 0 and", "row > 0 and"),  # two steps away, in a recursion
        ("_steps", "depth=5", "depth=6"),  # a field of a constant
        ("_steps", "self.depth *", "self.depth +"),  # a method of its class
        ("_steps", '"a+"', '"a*"'),
        ("_steps", "FAST = 1", "FAST = 2"),
        ("_steps", "cut=LIMIT", "cut=2"),
        ("_steps", "return function(rows)", "return function(rows[1:])"),  # a decorator
        ("_late", "LATE = 1", "LATE = 2"),  # imported inside the function
    ],
)
def test_an_edit_that_may_change_the_result_changes_the_fingerprint(
    tmp_path: Path, module: str, old: str, new: str
) -> None:
    assert fingerprint(tmp_path, **{module: (old, new)}) != fingerprint(tmp_path)


@pytest.mark.parametrize(
    ("imported", "used"),
    [
        ("import feature_defs.deep.steps", "feature_defs.deep.steps.clean(rows)"),
        ("import feature_defs.deep.steps as steps", "steps.clean(rows)"),
        ("import feature_defs", "feature_defs.deep.steps.clean(rows)"),
        ("from feature_defs import deep", "deep.steps.clean(rows)"),
        ("from feature_defs.deep import steps", "getattr(steps, 'clean')(rows)"),
    ],
)
@pytest.mark.parametrize("inside", [True, False])
def test_a_module_by_its_full_name_is_followed(
    tmp_path: Path, imported: str, used: str, inside: bool
) -> None:
    body = f"    {imported}\n    return {used}" if inside else f"    return {used}"
    text = f"import feature_defs.deep.steps\n{imported}\ndef transform(rows):\n{body}\n"

    def edited(limit: int) -> str:
        modules = {
            "cards.py": text + CARDS.replace('ttl="1d"', "transform=transform"),
            "deep/__init__.py": "",
            "deep/steps.py": f"LIMIT = {limit}\ndef clean(rows): return rows[:LIMIT]",
        }
        view = load(write(tmp_path / "feature_defs", modules)).views[0]
        return function_code(view.transform).fingerprint

    assert edited(1) != edited(2)


@pytest.mark.parametrize(
    "call", ["eval('clean')", "globals()['clean']", "importlib.import_module('feature_defs.x')"]
)
def test_code_that_cannot_be_followed_is_refused(tmp_path: Path, call: str) -> None:
    text = f"import importlib\ndef transform(rows):\n    return {call}\n"
    modules = {"cards.py": text + CARDS.replace('ttl="1d"', "transform=transform")}

    with pytest.raises(DefinitionError) as caught:
        load(write(tmp_path / "feature_defs", modules))

    assert call.split("(")[0].rpartition(".")[2] in caught.value.found


def test_the_text_is_the_functions_own_lines(tmp_path: Path) -> None:
    function = "@staticmethod\ndef clean(rows):\n    # all of them\n    return rows\n"
    module = "def staticmethod(f): return f\n" + function
    write(
        tmp_path / "feature_defs",
        {"cards.py": module + CARDS.replace('ttl="1d"', "transform=clean")},
    )

    code = function_code(load(tmp_path / "feature_defs").views[0].transform)

    assert code.name == "clean"
    assert code.text == function


def test_the_version_of_a_library_is_part_of_the_fingerprint(tmp_path: Path) -> None:
    pyarrow = "import pyarrow\ndef clean(rows):\n    return pyarrow.table(rows)\n"
    numpy = pyarrow.replace("import pyarrow", "import numpy as pyarrow")
    fingerprints = []
    for text in (pyarrow, numpy, pyarrow):
        module = text + CARDS.replace('ttl="1d"', "transform=clean")
        write(tmp_path / "feature_defs", {"cards.py": module})
        view = load(tmp_path / "feature_defs").views[0]
        fingerprints.append(function_code(view.transform).fingerprint)

    assert fingerprints[0] == fingerprints[2] != fingerprints[1]


def test_modules_have_a_home() -> None:
    homes = [home(name) for name in ("json", "featurestore.times", "pyarrow", __name__, "nowhere")]

    assert homes == ["python", "python", "library", "project", "library"]


@pytest.mark.parametrize("wrong", [len, 3, "text", Path])
def test_a_value_that_is_not_a_function_has_no_code(wrong: object) -> None:
    with pytest.raises(DefinitionError) as caught:
        function_code(wrong)

    assert repr(wrong) in caught.value.call
    assert type(wrong).__name__ in caught.value.found


def test_a_function_without_a_file_is_refused() -> None:
    scope: dict[str, object] = {"__name__": "__main__"}
    exec("def made(rows): return rows", scope)

    with pytest.raises(DefinitionError) as caught:
        function_code(scope["made"])

    assert "'made'" in caught.value.call
    assert "`def`" in caught.value.fix


CARD = Entity("card", join_keys=(Field("card_id", String),))
PAYMENTS = DeltaSource("payments", path="data/payments", timestamp_field="paid_at")
VIEW = FeatureView(
    "activity", entities=(CARD,), source=PAYMENTS, schema=(Field("amount", Float64),)
)


@pytest.mark.parametrize(
    "same",
    [
        replace(VIEW, name="other"),
        replace(VIEW, ttl="7d"),
        replace(VIEW, latest=False),
        replace(VIEW, description="d", owner="o", tags=("t",)),
        replace(VIEW, aggregations=(Aggregation("amount", "sum", windows=("7d",)),)),
        replace(VIEW, available_delay="0h"),
        replace(VIEW, entities=(replace(CARD, name="holder", description="d"),)),
        replace(VIEW, source=replace(PAYMENTS, name="other", owner="o")),
        replace(VIEW, schema=(Field("amount", Float64, description="d"),)),
    ],
)
def test_a_change_of_features_computed_at_read_time_needs_no_new_table(same: FeatureView) -> None:
    assert table_fingerprint(same) == table_fingerprint(VIEW)


@pytest.mark.parametrize(
    "other",
    [
        replace(VIEW, entities=()),
        replace(VIEW, entities=(replace(CARD, join_keys=(Field("card_id", Int64),)),)),
        replace(VIEW, schema=(Field("amount", Int64),)),
        replace(VIEW, schema=(Field("amount", Float64), Field("n", Int64))),
        replace(VIEW, schema=(Field("amounts", Float64),)),
        replace(VIEW, available_delay="1d"),
        replace(VIEW, transform="select * from {source}"),
        replace(VIEW, transform=Code("f", "def f(rows): ...", "1")),
        replace(VIEW, source=replace(PAYMENTS, path="data/other")),
        replace(VIEW, source=replace(PAYMENTS, unique_by=("payment_id",))),
        replace(VIEW, source=replace(PAYMENTS, timezone="Europe/Paris")),
        replace(
            VIEW,
            source=FileSource(
                "payments", path="data/payments", timestamp_field="paid_at", format="parquet"
            ),
        ),
    ],
)
def test_a_change_of_stored_rows_needs_a_new_table(other: FeatureView) -> None:
    assert table_fingerprint(other) != table_fingerprint(VIEW)


def test_a_function_and_its_code_have_one_table(tmp_path: Path) -> None:
    module = "def clean(rows):\n    return rows\n" + CARDS.replace('ttl="1d"', "transform=clean")
    view = load(write(tmp_path / "feature_defs", {"cards.py": module})).views[0]

    coded = replace(view, transform=function_code(view.transform))

    assert table_fingerprint(coded) == table_fingerprint(view)


def test_the_fingerprint_of_a_table_outlives_releases() -> None:
    # A change of this value rebuilds every table of every user: raise _TABLE_FORMAT knowingly.
    assert table_fingerprint(VIEW) == "8fc66b44b8bb2ea0"


def test_canonical_json_is_one_text() -> None:
    assert canonical_json({"b": [1.0, None], "a": "é"}) == '{"a":"\\u00e9","b":[1.0,null]}'
    assert digest({"a": 1}) == digest({"a": 1}) != digest({"a": 1.0})
