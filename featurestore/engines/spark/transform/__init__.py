"""From source rows to stored rows: the user's transform, and what the store adds."""
