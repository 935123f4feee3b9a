"""The spine: all ratings, with the film's year and genres."""

import pandas as pd

from demo.ecommerce.data import split_genres

GENRES = (
    "Action", "Adventure", "Animation", "Children", "Comedy", "Crime", "Documentary", "Drama",
    "Fantasy", "Film-Noir", "Horror", "IMAX", "Musical", "Mystery", "Romance", "Sci-Fi",
    "Thriller", "War", "Western",
)  # fmt: skip


def labelled_ratings(ratings: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each rating: the user, the film, the time, the label, the year and genres.

    The label is ``rating``. It is known at once. ``genre_1`` and ``genre_2`` are the film's first
    two genres, for the features of the user's taste in each. The columns such as ``is_drama`` are
    inputs of the model.
    """
    genres = split_genres(ratings["genres"])
    spine = pd.DataFrame(
        {
            "user_id": ratings["user_id"],
            "movie_id": ratings["movie_id"],
            "event_timestamp": pd.to_datetime(ratings["rated_at"], unit="s", utc=True),
            "rating": ratings["rating"],
            "year": ratings["year"],
            "genre_1": genres.str.get(0),
            "genre_2": genres.str.get(1),
        }
    )
    for genre in GENRES:
        spine[f"is_{genre.lower()}"] = genres.map(lambda names, genre=genre: int(genre in names))
    return spine
