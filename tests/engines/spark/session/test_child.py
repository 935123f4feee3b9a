"""The session that writes tables: its settings are featurestore's, whatever the user's are."""

import json
from pathlib import Path

from pyspark.sql import SparkSession

from featurestore.engines.spark.session.child import own_session


def test_the_checksum_of_a_version_has_no_copy_of_the_list_of_files(
    tmp_path: Path, spark: SparkSession
) -> None:
    own_session(spark).range(3).write.format("delta").save(str(tmp_path / "table"))

    checksum = json.loads((tmp_path / "table/_delta_log" / f"{0:020}.crc").read_text())
    assert checksum["numFiles"] >= 1
    assert "allFiles" not in checksum
