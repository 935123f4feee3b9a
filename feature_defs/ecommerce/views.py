"""Ratings of a user, ratings of a film, and ratings of a user in one genre."""

import featurestore as fs
from feature_defs.ecommerce.entities import genre, movie, user
from feature_defs.ecommerce.sources import movies, ratings

stars = fs.Field("rating", fs.Float64, description="Half a star to five")

user_taste = fs.FeatureView(
    "user_taste",
    entities=(user,),
    source=ratings,
    schema=(stars,),
    aggregations=(
        fs.Aggregation("rating", "mean", windows=("1d", "30d", "lifetime"), name="user_mean"),
        fs.Aggregation("rating", "stddev", windows=("30d", "lifetime"), name="user_stddev"),
        fs.Aggregation("rating", "last", name="user_last"),
        fs.Aggregation("*", "count", windows=("1d", "30d", "lifetime"), name="user_ratings"),
    ),
    description="A user's ratings so far",
    owner="recommendations@example.com",
    tags=("ecommerce", "user"),
)

movie_popularity = fs.FeatureView(
    "movie_popularity",
    entities=(movie,),
    source=ratings,
    schema=(stars, fs.Field("user_id", fs.Int64, description="The user who rated")),
    aggregations=(
        fs.Aggregation("rating", "mean", windows=("365d", "lifetime"), name="movie_mean"),
        fs.Aggregation("rating", "stddev", name="movie_stddev"),
        fs.Aggregation("user_id", "count_distinct", windows=("365d", "lifetime"), name="raters"),
    ),
    description="A film's ratings so far, and the number of its raters",
    owner="recommendations@example.com",
    tags=("ecommerce", "movie"),
)

# One row for each rating and genre: "Drama|Comedy" becomes two rows.
BY_GENRE = """
    SELECT user_id, rated_at, rating, explode(split(genres, '[|]')) AS genre
    FROM {source}
"""

user_genre_taste = fs.FeatureView(
    "user_genre_taste",
    entities=(user, genre),
    source=ratings,
    transform=BY_GENRE,
    schema=(stars,),
    aggregations=(
        fs.Aggregation("rating", "mean", name="mean"),
        fs.Aggregation("*", "count", name="ratings"),
    ),
    # No table of latest values: nobody browses a quarter of a million pairs of user and genre. The
    # features of models are read from the feature table.
    latest=False,
    description="A user's ratings so far of films in one genre",
    owner="recommendations@example.com",
    tags=("ecommerce", "user"),
)

movie_catalogue = fs.FeatureView(
    "movie_catalogue",
    entities=(movie,),
    source=movies,
    schema=(
        fs.Field("title", fs.String),
        fs.Field("release_year", fs.Int32),
        fs.Field("genres", fs.Array(fs.String)),
    ),
    description="The facts on a film's page",
    owner="catalogue@example.com",
    tags=("ecommerce", "movie"),
)
