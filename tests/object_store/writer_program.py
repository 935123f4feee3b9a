"""One of several processes that add rows to a source in an object store, and materialize them.

`python -m tests.object_store.writer_program FOLDER NUMBER ROUNDS`: in each round, it adds one row
of a card of its own, and makes a run. It prints the status of each run, as JSON.
"""

import json
import sys
from datetime import timedelta

import featurestore as fs
from tests.object_store.spark_program import DAY


def main(folder: str, number: str, rounds: str) -> None:
    """Make all rounds, and print the statuses of the runs."""
    statuses = []
    with fs.FeatureStore(folder) as store:
        for each in range(int(rounds)):
            paid_at = DAY + timedelta(minutes=each)
            row = {"card_id": f"w{number}", "paid_at": paid_at, "amount": float(each)}
            store.write_source("payments", [row])
            statuses += [run.status for run in store.materialize(wait=True)]
    sys.stdout.write(json.dumps(statuses) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
