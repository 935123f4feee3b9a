"""Recommendations of films, from users' ratings."""
