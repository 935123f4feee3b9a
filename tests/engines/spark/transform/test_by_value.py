"""The project's code on Spark's workers: what runs there is what the definitions contain now."""

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.definitions.loading.loader import load
from featurestore.engines.spark.transform.run import run_transform
from tests.definitions.project import CARDS, write

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TRANSFORM = """
def tr(df):
    return df.withColumn("amount", F.udf(times, "double")("amount"))
"""
VIEW = CARDS.replace('ttl="1d"', "transform=tr")
TOP = "from pyspark.sql import functions as F\nimport pandas as pd\n"
TIMES = "def times(x):\n    return x * {}\n"


def amounts(spark: "SparkSession", folder: Path) -> list[float]:
    """Return the amounts that the transform of the folder's view makes of 1.0."""
    rows = spark.createDataFrame([("a", 1.0)], "card_id string, amount double")
    view = load(folder).views[0]
    return [row["amount"] for row in run_transform(view, rows).collect()]


@pytest.mark.parametrize(
    "modules",
    [
        {"cards.py": TOP + TIMES + TRANSFORM},
        {"_rates.py": TIMES, "cards.py": TOP + "from ._rates import times" + TRANSFORM},
        {"_rates.py": TIMES, "cards.py": TOP + "from _rates import times" + TRANSFORM},
        {
            "_rates.py": TIMES + "import threading\nLOCK = threading.Lock()\n",
            "cards.py": TOP
            + "from . import _rates\ndef times(x):\n    return _rates.times(x)\n"
            + TRANSFORM,
        },
        {  # imported by a worker, when the function runs; the modules refer to each other
            "_rates.py": TIMES + "def back(x):\n    from ._steps import times\n    return times\n",
            "_steps.py": "from . import _rates\n"
            "def times(x):\n    from feature_defs._rates import times as t\n    return t(x)\n",
            "cards.py": TOP + "from ._steps import times" + TRANSFORM,
        },
        {
            "../rates_beside.py": TIMES,
            "cards.py": TOP + "from rates_beside import times" + TRANSFORM,
        },
        {
            "cards.py": TOP + "from pyspark.sql.types import DoubleType\n"
            "@F.udf(DoubleType())\n" + TIMES + "def tr(df):\n"
            "    return df.withColumn('amount', times('amount'))\n"
        },
        {
            "cards.py": TOP + "from pyspark.sql.types import DoubleType\n"
            "@F.pandas_udf('double')\n"
            "def times(x: pd.Series) -> pd.Series:\n    return x * {}\ndef tr(df):\n"
            "    return df.withColumn('amount', times('amount'))\n"
        },
        {
            "cards.py": TOP + "class Rate:\n    def __init__(self, by):\n        self.by = by\n"
            "    def times(self, x):\n        return x * self.by\nRATE = Rate({})\n"
            "def tr(df):\n    times = F.udf(RATE.times, 'double')\n"
            "    return df.withColumn('amount', times('amount'))\n"
        },
        {
            "_rates.py": "import functools, logging\nlog = logging.getLogger(__name__)\n"
            "@functools.lru_cache\ndef rate(depth=3):\n    log.debug('rate')\n"
            "    return {} if depth == 0 else rate(depth - 1)\n",
            "cards.py": TOP + "from ._rates import rate\n"
            "def times(x):\n    return x * rate()\n" + TRANSFORM,
        },
        {
            "_rates.py": "import enum, dataclasses\nclass Kind(enum.Enum):\n    A = {}\n"
            "@dataclasses.dataclass\nclass Rate:\n    kind: Kind\n"
            "    def of(self, x):\n        return x * self.kind.value\n",
            "cards.py": TOP + "from ._rates import Kind, Rate\n"
            "def times(x):\n    return Rate(Kind.A).of(x)\n" + TRANSFORM,
        },
        {
            "cards.py": TOP + "def steps(frames):\n    for frame in frames:\n"
            "        frame['amount'] *= {}\n        yield frame\n"
            "def tr(df):\n    return df.mapInPandas(steps, df.schema)\n"
        },
    ],
)  # fmt: skip
def test_workers_run_the_present_text(
    spark: "SparkSession", tmp_path: Path, modules: dict[str, str]
) -> None:
    folder = tmp_path / "feature_defs"

    found = []
    for factor in (2, 3):
        texts = {name: text.replace("{}", str(factor)) for name, text in modules.items()}
        texts["cards.py"] += VIEW
        found.append(amounts(spark, write(folder, texts)))

    assert found == [[2.0], [3.0]]


def test_what_a_transform_prints_does_not_go_to_stdout(
    spark: "SparkSession", tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    transform = "def tr(df):\n    print(df.columns)\n    return df\n"

    amounts(spark, write(tmp_path / "feature_defs", {"cards.py": transform + VIEW}))

    assert capsys.readouterr().out == ""


def test_a_udf_of_a_module_is_the_same_whether_spark_runs_or_not(
    spark: "SparkSession", tmp_path: Path
) -> None:
    text = (
        "from pyspark.sql.functions import udf\n@udf('double')\n" + TIMES.format(2) + TRANSFORM
    ).replace('F.udf(times, "double")', "times")
    folder = write(tmp_path / "feature_defs", {"cards.py": text + VIEW})
    program = (
        "import sys, pathlib\n"
        "from featurestore.definitions.loading.loader import load\n"
        "from featurestore.definitions.code.fingerprint import table_fingerprint\n"
        "print(table_fingerprint(load(pathlib.Path(sys.argv[1])).views[0]))"
    )

    without = subprocess.run(
        [sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=True
    ).stdout.strip()

    assert spark.conf.get("spark.sql.execution.pythonUDF.arrow.enabled") == "true"
    assert table_fingerprint(load(folder).views[0]) == without
    assert amounts(spark, folder) == [2.0]
