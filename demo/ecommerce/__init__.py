"""Recommendations: the next rating (boosting and ALS) and kinds of users (KMeans)."""
