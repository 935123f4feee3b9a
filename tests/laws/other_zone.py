"""A program that stores a shape's rows in its process's time zone, by compiled plans."""

import sys
from pathlib import Path

from featurestore.engines.spark.session.child import own_session
from featurestore.engines.spark.session.session import session
from featurestore.engines.spark.write.batch import Target, write_batch
from featurestore.times import from_micros
from tests.engines.spark.compiled import compiling
from tests.engines.spark.positions import begun
from tests.laws.shapes import SHAPES

CONF = Path(__file__).parents[2] / "spark-conf" / "test.conf"


def main(name: str, table: str, folder: str, *sources: str) -> None:
    """Store the rows of Parquet files as materialization does, in a session of its own."""
    shape = next(shape for shape in SHAPES if shape.name == name)
    # The tests' own session interprets its plans: both must store the same rows.
    spark = compiling(own_session(session(CONF, warehouse=Path(folder))))
    target = Target(
        "run",
        table_id="other_zone",
        generation=0,
        table=table,
        checkpoint=begun(f"{folder}/begun", 1),
        source="source",
        quarantine=f"{table}_quarantine",
        staging=f"{folder}/staging",
        started_at=from_micros(0),
    )
    write_batch(shape.view, target, spark.read.parquet(*sources), 0)
    zone = spark.sparkContext._jvm.java.util.TimeZone.getDefault().getID()
    sys.stdout.write(f"{zone} {spark.conf.get('spark.sql.session.timeZone')}\n")
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
