"""The entities of the domain: users, films and genres."""

import featurestore as fs

user = fs.Entity(
    "user",
    join_keys=(fs.Field("user_id", fs.Int64),),
    description="A person who rates films",
    owner="recommendations@example.com",
    tags=("ecommerce",),
)

movie = fs.Entity(
    "movie",
    join_keys=(fs.Field("movie_id", fs.Int64),),
    description="A film of the catalogue",
    owner="catalogue@example.com",
    tags=("ecommerce",),
)

genre = fs.Entity(
    "genre",
    join_keys=(fs.Field("genre", fs.String),),
    description="One of MovieLens's genres, such as Drama",
    owner="catalogue@example.com",
    tags=("ecommerce",),
)
