"""Schema contracts: whether a source's columns are those that a view has accepted."""
