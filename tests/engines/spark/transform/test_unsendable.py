"""An error about a value that cannot be sent to workers names the view, the function and it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import pytest

from featurestore.definitions.loading.loader import load
from featurestore.definitions.model.source import DeltaSource
from featurestore.definitions.model.types import Field, Float64
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.errors.mapping import spark_errors
from featurestore.engines.spark.transform.by_value import can_be_sent, send_project_by_value
from featurestore.engines.spark.transform.run import run_transform
from featurestore.engines.spark.transform.unsendable import unsendable
from featurestore.engines.spark.write.masks import Validation, masked
from featurestore.errors import MaterializationError
from tests.definitions.project import CARDS, write

if TYPE_CHECKING:
    from pyspark.sql import Row, SparkSession

PAID = DeltaSource("paid", path="paid", timestamp_field="at")
VIEW = CARDS.replace('ttl="1d"', "transform=tr")
TOP = "from pyspark.sql import functions as F\n"
TRANSFORM = """
def tr(df):
    return df.withColumn("amount", F.udf(times, "double")("amount"))
"""
TIMES = "def times(x):\n    {}\n    return x * 2\n"
# What the fingerprint allows: it compares the text of a class, not the values that it holds.
CLASS = "import {0}\nclass Rate:\n    SHARED = {1}\n    def of(self):\n        return 1\n"
HELD = {
    "lock": CLASS.format("threading", "threading.Lock()"),
    "_local": CLASS.format("threading", "threading.local()"),
    "generator": CLASS.format("sys", "(each for each in range(3))"),
}


def rows_of(spark: "SparkSession", folder: Path, modules: dict[str, str]) -> "list[Row]":
    """Return the rows that the transform of these modules makes of one row."""
    modules = modules | {"cards.py": TOP + modules["cards.py"] + VIEW}
    view = load(write(folder, modules)).views[0]
    rows = spark.createDataFrame([("a", 1.0)], "card_id string, amount double")
    with spark_errors(f"materialize view {view.name!r}"):
        return run_transform(view, rows).collect()


@pytest.mark.parametrize("kind", HELD)
def test_a_class_that_holds_what_cannot_be_sent_is_named(
    spark: "SparkSession", tmp_path: Path, kind: str
) -> None:
    code = HELD[kind] + TIMES.format("Rate().of()") + TRANSFORM

    with pytest.raises(MaterializationError) as refused:
        rows_of(spark, tmp_path / "feature_defs", {"cards.py": code})

    assert "'activity'" in refused.value.call
    for part in ("function 'times'", "cards.py:", "'Rate.SHARED'", kind):
        assert part in refused.value.found
    assert "in the function" in refused.value.fix


@pytest.mark.parametrize(
    ("before", "use"),
    [
        ("from . import _rates\n", "_rates.Rate().of()"),
        ("", "from ._rates import Rate"),
        ("", "from . import _rates; getattr(_rates, 'Rate', None)"),
    ],
)
def test_a_value_of_a_module_that_cannot_be_sent_is_named_where_it_is_used(
    spark: "SparkSession", tmp_path: Path, before: str, use: str
) -> None:
    modules = {"_rates.py": HELD["lock"], "cards.py": before + TIMES.format(use) + TRANSFORM}

    with pytest.raises(MaterializationError) as refused:
        rows_of(spark, tmp_path / "feature_defs", modules)

    assert "'activity'" in refused.value.call
    for part in ("function 'times'", "cards.py:", "'feature_defs._rates.Rate'", "lock"):
        assert part in refused.value.found
    assert "in the function" in refused.value.fix


@pytest.mark.parametrize(
    ("inner", "name", "kind"),
    [
        ("lock = threading.Lock()", "lock", "lock"),
        ("lock = functools.partial(print, threading.Lock())", "lock", "lock"),
        ("lock = [{'a': (each for each in 'ab')}]", "lock", "generator"),
        ("lock = df", "lock", "DataFrame"),
        ("lock = df.sparkSession", "lock", "SparkSession"),
    ],
)
def test_a_variable_of_the_transform_that_cannot_be_sent_is_named(
    spark: "SparkSession", tmp_path: Path, inner: str, name: str, kind: str
) -> None:
    code = (
        f"import functools, threading\ndef tr(df):\n    {inner}\n"
        "    def times(x):\n        return x if lock else x\n"
        "    return df.withColumn('amount', F.udf(times, 'double')('amount'))\n"
    )

    with pytest.raises(MaterializationError) as refused:
        rows_of(spark, tmp_path / "feature_defs", {"cards.py": code})

    for part in ("function 'times'", f"{name!r}", kind):
        assert part in refused.value.found


@pytest.mark.parametrize(
    ("code", "use"),
    [
        (
            "import functools\nclass Rate:\n    @functools.cached_property\n"
            "    def two(self):\n        return 2\n",
            "Rate().two",
        ),
        (
            "import functools\n@functools.singledispatch\ndef rate(x):\n    return 1\n"
            "@rate.register\ndef _(x: float):\n    return 2\n",
            "rate(x)",
        ),
        (
            "import functools\nclass Rate:\n    @functools.singledispatchmethod\n"
            "    def of(self, x):\n        return 2\n",
            "Rate().of(x)",
        ),
        ("import weakref\nSEEN = weakref.WeakValueDictionary()\n", "len(SEEN) + 2"),
        ("import re\nRATE = re.compile('2')\n", "int(RATE.match('2')[0])"),
    ],
)
@pytest.mark.parametrize("module", ["", "_rates."])
def test_what_only_looks_as_if_it_could_not_be_sent_is_sent(
    spark: "SparkSession", tmp_path: Path, code: str, use: str, module: str
) -> None:
    for name in ("Rate()", "rate(", "SEEN", "RATE"):
        use = use.replace(name, module + name)
    times = f"def times(x):\n    return x * {use}\n" + TRANSFORM
    modules = {"cards.py": code + times}
    if module:
        modules = {"_rates.py": code, "cards.py": "from . import _rates\n" + times}

    assert rows_of(spark, tmp_path / "feature_defs", modules)[0]["amount"] == 2.0


class Rate:
    """A class that the fingerprint allows, with a lock."""

    lock = Lock()


class Library:
    """An object of a library that holds a function, as a check of pandera does."""

    def __init__(self, function: "Callable[[object], object]") -> None:
        self.own, self.function = Lock(), function


Library.__module__ = "pyarrow.checks"


def checked(rows: object) -> object:
    return Rate(), rows


def test_a_function_in_an_object_of_a_library_is_found() -> None:
    send_project_by_value()

    found = unsendable(partial(Library.__init__, Library(checked)), can_be_sent)

    assert found is not None
    assert (found.code, found.name, found.kind) == (checked.__code__, "Rate.lock", "lock")


def test_the_inside_of_a_librarys_object_is_not_named() -> None:
    held = Library(len)

    def uses() -> object:
        return held

    found = unsendable(uses, can_be_sent)

    assert found is not None
    assert (found.code, found.name, found.kind) == (uses.__code__, "held", "Library")


def test_a_check_that_cannot_be_sent_is_named_with_its_view(spark: "SparkSession") -> None:
    view = FeatureView("v", entities=(), source=PAID, schema=(Field("x", Float64),))
    rows = spark.sql("SELECT 1.0D AS x, now() AS event_timestamp")
    validation = Validation(checked, columns=("x",), gate=lambda *_: None)  # type: ignore[arg-type]

    with pytest.raises(MaterializationError) as refused:
        masked(view, rows, validation)

    assert refused.value.call.startswith("expectations of view 'v' (")
    assert "function 'checked'" in refused.value.found
    assert "'Rate.lock', a lock" in refused.value.found
