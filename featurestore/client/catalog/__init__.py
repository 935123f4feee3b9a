"""What is in a feature store, and what it lacks: lists, search, descriptions, health."""
