"""The sources and the spine of MovieLens."""

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
from deltalake import DeltaTable

from demo.ecommerce.data import MOVIES, RATINGS, build_sources, load_ratings
from demo.ecommerce.spine import labelled_ratings

RATED = pd.DataFrame(
    {
        "movie_id": [7, 8, 7],
        "title": ["Heat", "Nothing", "Heat"],
        "year": [1995.0, None, 1995.0],
        "genres": ["Action|Crime|Thriller", "(no genres listed)", "Action|Crime|Thriller"],
        "user_id": [1, 1, 2],
        "rating": [4.0, 2.5, 5.0],
        "rated_at": [1_000_000_000, 1_000_000_060, 1_000_000_120],
    }
)


def test_every_rating_is_a_row_of_the_spine_with_its_time() -> None:
    spine = labelled_ratings(load_ratings())

    assert len(spine) == 100_004
    assert str(spine["event_timestamp"].min()) == "1995-01-09 11:46:49+00:00"
    assert spine["rating"].between(0.5, 5).all()


def test_the_spine_has_the_first_two_genres_and_a_flag_for_each_genre() -> None:
    spine = labelled_ratings(RATED)

    assert spine["genre_1"].tolist()[0] == "Action"
    assert spine["genre_2"].tolist()[0] == "Crime"
    assert spine["genre_1"].isna().tolist() == [False, True, False]
    assert spine[["is_action", "is_thriller", "is_drama"]].iloc[0].tolist() == [1, 1, 0]


def test_a_film_is_listed_at_its_first_rating(tmp_path: Path) -> None:
    build_sources(tmp_path, RATED)

    films = pq.read_table(tmp_path / MOVIES).to_pylist()

    assert [film["movie_id"] for film in films] == [7, 8]
    assert films[0]["genres"] == ["Action", "Crime", "Thriller"]
    assert films[1]["genres"] == []
    assert films[1]["release_year"] is None
    assert films[0]["listed_at"].timestamp() == 1_000_000_000


def test_sources_are_written_once(tmp_path: Path) -> None:
    first = [source.rows for source in build_sources(tmp_path, RATED)]
    second = [source.rows for source in build_sources(tmp_path, RATED)]

    assert (first, second) == ([3, 2], [0, 0])
    assert DeltaTable(str(tmp_path / RATINGS)).version() == 0
