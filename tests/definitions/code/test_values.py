"""Constants of code: each change of a value counts, and no process sees another value."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from featurestore.definitions.code.fingerprint import function_code
from featurestore.definitions.loading.loader import load
from featurestore.errors import DefinitionError
from tests.definitions.project import CARDS, write

_BODY = "return rows, C"


def _project(folder: Path, top: str, body: str = _BODY) -> Path:
    lines = "\n    ".join(body.splitlines())
    text = f"{top}\ndef transform(rows):\n    {lines}\n"
    cards = CARDS.replace('ttl="1d"', "transform=transform")
    return write(folder / "feature_defs", {"cards.py": text + cards})


def _fingerprint(folder: Path, top: str, body: str = _BODY) -> str:
    view = load(_project(folder, top, body)).views[0]
    return function_code(view.transform).fingerprint


_CLASS = """\
class Rate:
    def __init__(self, factor):
        self.factor = factor
    def __repr__(self):
        return "Rate"
"""


@pytest.mark.parametrize(
    ("top", "one", "other"),
    [
        ("import re\nC = re.compile('a' * 300 + {!r})", "b", "c"),
        ("import re\nC = re.compile('a' * 300, {})", "re.I", "re.S"),
        ("import numpy\nC = numpy.array([0.1 + {}])", "0", "1e-12"),
        ("import numpy\nC = numpy.arange(5000) % {}", "4999", "4998"),
        ("import numpy\nC = numpy.array([1, 2], {!r})", "int64", "float64"),
        ("import numpy\nC = numpy.float32({})", "1", "2"),
        ("import pandas\nC = pandas.DataFrame({{'a': range(500)}}) + {}", "0", "1"),
        ("import pandas\nC = pandas.DataFrame({{'a': [1.0 + {}]}})", "0", "1e-12"),
        ("import pandas\nC = pandas.Series([1], name={!r})", "a", "b"),
        ("import pandas\nC = pandas.Timestamp({})", "1", "2"),
        ("import polars\nC = polars.DataFrame({{'a': [*range(500)]}}) + {}", "0", "1"),
        ("import pyarrow\nC = pyarrow.table({{'a': [*range(500), {}]}})", "0", "1"),
        ("C = 10 ** 5000 + {}", "0", "1"),
        ("C = {}", "0.0", "-0.0"),
        ("C = {}", "0.0", "float('nan')"),
        ("C = {}", "1", "1.0"),
        ("from decimal import Decimal\nC = Decimal({!r})", "1.0", "1.00"),
        ("from math import sqrt\nfrom cmath import sqrt as other\nC = {}", "sqrt", "other"),
        ("C = {}.get", "{'a': 1}", "{'a': 2}"),
        ("from collections import defaultdict\nC = defaultdict({})", "int", "list"),
        ("from collections import Counter, OrderedDict\nC = {}(a=1)", "Counter", "OrderedDict"),
        ("from collections import namedtuple\nC = namedtuple('P', {!r})(1, 2)", "x y", "y x"),
        ("from enum import Enum\nC = Enum('E', {!r})", "A B", "B A"),
        ("import enum\nclass E(enum.IntEnum):\n    A = 1\n    def f(self):\n        "
         "return {}\nC = E.A", "1", "2"),
        ("import enum\nclass E(enum.Enum):\n    A = frozenset({})\nC = E.A", "{1}", "{2}"),
        (_CLASS + "C = Rate({})", "1", "2"),
        (_CLASS + "class Text(str): pass\nC = Text('a')\nC.rate = {}", "1", "2"),
        ("from dataclasses import dataclass, field\n@dataclass\nclass D:\n"
         "    x: int = field(compare=False)\nC = D({})", "1", "2"),
        ("def make(n):\n    def inner(row, n=n):\n        return n\n    return inner\n"
         "C = make({})", "1", "2"),
        ("N = {}\ndef C(row, n=N):\n    return n\nN = 5", "1", "2"),
        ("N = {}\ndef C(row, *, n=N):\n    return n\nN = 5", "1", "2"),
        ("def C(row):\n    return C.factor\nC.factor = {}", "1", "2"),
        ("def make(n):\n    class K:\n        def f(self):\n            return n\n"
         "    return K\nC = make({})", "1", "2"),
        ("from functools import lru_cache\n@lru_cache\ndef C():\n    return {}", "1", "2"),
        ("from functools import singledispatch\n@singledispatch\ndef C(x):\n    return 0\n"
         "@C.register\ndef _(x: int):\n    return {}", "1", "2"),
        ("from functools import partial\ndef f(a, b): ...\nC = partial(f, b={})", "1", "2"),
        ("from types import SimpleNamespace\nC = SimpleNamespace(a={})", "1", "2"),
        ("from types import MappingProxyType\nC = MappingProxyType({{'a': {}}})", "1", "2"),
        ("import numpy\nC = numpy.{}", "add", "subtract"),
        ("C = {}.keys()", "{'a': 1}", "{'b': 1}"),
        ("from operator import itemgetter\nC = itemgetter({})", "1", "2"),
        ("from pydantic import BaseModel\nclass M(BaseModel):\n    c: float\nC = M(c={})",
         "1", "1.0000000000000002"),
        ("from pyspark.sql.types import DecimalType\nC = DecimalType({}, 2)", "8", "9"),
        ("from pyspark.sql.types import StructField, StringType\n"
         "C = StructField('a', StringType(), metadata={{'a': {}}})", "1", "2"),
    ],
)  # fmt: skip
def test_a_changed_constant_counts(tmp_path: Path, top: str, one: str, other: str) -> None:
    first, second, again = (
        _fingerprint(tmp_path / str(number), top.format(value))
        for number, value in enumerate((one, other, one))
    )

    assert first == again != second


@pytest.mark.parametrize(
    "top",
    [
        "C = {'de', 'fr', 'it', 'es'}",
        "from types import MappingProxyType as M\nC = M({'eu': frozenset({'de', 'fr', 'it'})})",
        "from types import SimpleNamespace\nC = SimpleNamespace(c={'de', 'fr', 'it', 'es'})",
        "import enum\nclass E(enum.Enum):\n    A = frozenset({'de', 'fr', 'it', 'es'})\nC = E.A",
        "import enum\nclass E(enum.Enum):\n    A = 'a'\n    B = 'b'\n    D = 'd'\nC = {*E}",
        "import enum\nclass E(enum.Flag):\n    A = 1\n    B = 2\nC = {E.A | E.B: {'x', 'y', 'z'}}",
        "def f(): ...\ndef g(): ...\ndef h(): ...\nC = {f, g, h}",
        "class F: ...\nclass G: ...\nclass H: ...\nC = frozenset([F, G, H])",
        "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass D:\n"
        "    c: frozenset = frozenset({'de', 'fr', 'it', 'es'})\nC = (D(),)",
        "from typing import NamedTuple\nclass T(NamedTuple):\n    c: set\nC = T({'x', 'y', 'z'})",
        "from pydantic import BaseModel\nclass M(BaseModel):\n"
        "    c: set[str] = {'de', 'fr', 'it', 'es'}\nC = M()",
        "class K:\n    def __init__(self):\n        self.c = {'de', 'fr', 'it', 'es'}\nC = K()",
        "from functools import partial\nC = partial(print, {'de', 'fr', 'it', 'es'})",
        "import numpy\nC = numpy.array([{'de', 'fr', 'it', 'es'}], dtype=object)",
        "import pandas\nC = pandas.DataFrame({'a': [1.5], 'b': ['x'], 'c': [None]})",
        "import polars\nC = polars.DataFrame({'a': [1.5], 'b': ['x'], 'c': [None]})",
        "from collections import defaultdict\nC = defaultdict(set, a={'x', 'y', 'z'})",
        "def C(row, known={'de', 'fr', 'it'}):\n    return row in known",
        "import threading\ndef C(row):\n    return threading.Lock()",
    ],
)
@pytest.mark.slow
def test_every_process_sees_the_same_fingerprint(tmp_path: Path, top: str) -> None:
    folder = _project(tmp_path, top)

    assert len({_in_process(folder, seed) for seed in "12345"}) == 1


@pytest.mark.parametrize(
    "top",
    [
        "C = object()",
        "C = iter([1])",
        "import threading\nC = threading.Lock()",
        "import random\nC = random.random",
        "import random\nC = random.Random(1)",
        "import numpy\nC = numpy.random.default_rng(1)",
        "C = (x for x in 'ab')",
        "C = []\nC.append(C)",
    ],
)
def test_a_value_that_cannot_be_compared_exactly_is_refused(tmp_path: Path, top: str) -> None:
    with pytest.raises(DefinitionError, match="'C'"):
        _fingerprint(tmp_path, top)


def test_a_spark_type_and_a_udf_are_constants(tmp_path: Path) -> None:
    top = (
        "from pyspark.sql.functions import udf\n"
        "from pyspark.sql.types import DoubleType, LongType\n"
        "def double(x):\n    return x * 2\nC = udf(double, {}())"
    )
    udfs = [
        _fingerprint(tmp_path / str(number), top.format(kind))
        for number, kind in enumerate(("DoubleType", "LongType", "DoubleType"))
    ]
    changed = _fingerprint(tmp_path / "3", top.format("DoubleType").replace("x * 2", "x * 3"))

    assert udfs[0] == udfs[2]
    assert len({*udfs, changed}) == 3


def test_a_module_that_only_a_method_imports_counts(tmp_path: Path) -> None:
    top = "class K:\n    def f(self):\n        from ._late import N\n        return N\nC = K()"
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()

    fingerprints = []
    for name, number in (("one", 1), ("other", 2)):
        folder = _project(tmp_path / name, top)
        (folder / "_late.py").write_text(f"N = {number}\n")
        fingerprints.append(function_code(load(folder).views[0].transform).fingerprint)

    assert fingerprints[0] != fingerprints[1]


def _in_process(folder: Path, seed: str) -> str:
    program = (
        "import sys, pathlib\n"
        "from featurestore.definitions.loading.loader import load\n"
        "from featurestore.definitions.code.fingerprint import table_fingerprint\n"
        "print(table_fingerprint(load(pathlib.Path(sys.argv[1])).views[0]))"
    )
    return subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
