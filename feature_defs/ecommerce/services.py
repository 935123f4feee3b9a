"""The features of each model and of the film page."""

import featurestore as fs
from feature_defs.ecommerce.views import (
    movie_catalogue,
    movie_popularity,
    user_genre_taste,
    user_taste,
)

next_rating_v1 = fs.FeatureService(
    "next_rating_v1",
    features=(
        user_taste,
        movie_popularity,
        # The same view twice: the user's taste in the film's first and in its second genre.
        user_genre_taste.with_join_keys({"genre": "genre_1"}).with_prefix("genre_1_"),
        user_genre_taste.with_join_keys({"genre": "genre_2"}).with_prefix("genre_2_"),
    ),
    description="The rating that a user will give a film",
    owner="recommendations@example.com",
    tags=("ecommerce", "ranking"),
)

movie_page_v1 = fs.FeatureService(
    "movie_page_v1",
    features=(
        movie_catalogue,
        movie_popularity[["movie_mean_lifetime", "raters_lifetime"]],
    ),
    description="The film page: facts and popularity",
    owner="catalogue@example.com",
    tags=("ecommerce", "page"),
)

user_segments_v1 = fs.FeatureService(
    "user_segments_v1",
    features=(
        user_taste[["user_mean_lifetime", "user_stddev_lifetime", "user_ratings_lifetime"]],
    ),
    description="Groups of similar users",
    owner="recommendations@example.com",
    tags=("ecommerce", "segments"),
)
