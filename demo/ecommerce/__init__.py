"""Recommendations: the next rating, films by taste (ALS) and kinds of users (KMeans)."""
