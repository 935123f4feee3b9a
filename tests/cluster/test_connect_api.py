"""Code that needs Spark's driver in this process: few modules, which know Spark Connect."""

import re
from pathlib import Path

import featurestore

PACKAGE = Path(featurestore.__file__).parent
# Objects of the driver's Java process; RDDs and accumulators need its context.
DRIVER = re.compile(r"\._jvm\b|\._jdf\b|\._jsc\b|\.sparkContext\b|\.rdd\b|\"_sc\"|\"_jdf\"")
KNOWN = {
    "engines/spark/session/executors.py",  # watches sessions that featurestore has started
    "engines/spark/session/session.py",  # starts them
    "engines/spark/session/versions.py",  # Delta's version; not known of Spark Connect
    "engines/spark/source/row_counts.py",  # without accumulators, files are read again to count
    "engines/spark/transform/row_by_row.py",  # reads the text of plans instead
    "engines/spark/types.py",  # tells which of the two a DataFrame is of
    "engines/spark/write/cancel.py",  # cancels by the session's tags instead
}


def test_only_modules_that_know_spark_connect_use_the_drivers_java() -> None:
    found = {
        file.relative_to(PACKAGE).as_posix()
        for file in PACKAGE.rglob("*.py")
        if DRIVER.search(file.read_text("utf-8"))
    }

    assert found == KNOWN
