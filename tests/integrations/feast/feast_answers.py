"""A program for an environment with Feast: the training sets of the repository, as Feast has them.

Run it after `feast apply`. Arguments: the repository's folder, the file with the spine, the
folder to write to. Feast's offline store is that of the repository's settings.
"""

import sys
from pathlib import Path

import pandas as pd
from feast import FeatureStore

REFERENCES = {
    "pricing_v1": None,  # the service
    "driver_stats": ["driver_stats:conv_rate", "driver_stats:trips-today", "driver_stats:device"],
    "driver_forever": ["driver_forever:conv_rate", "driver_forever:trips-today"],
}


def main(repository: str, spine: str, out: str) -> None:
    store = FeatureStore(repository)
    rows = pd.read_parquet(spine)
    for name, references in REFERENCES.items():
        features = store.get_feature_service(name) if references is None else references
        table = store.get_historical_features(entity_df=rows, features=features).to_arrow()
        table.to_pandas().to_parquet(Path(out, f"{name}.parquet"))


if __name__ == "__main__":
    main(*sys.argv[1:])
