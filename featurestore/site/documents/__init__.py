"""The data of each page, which is also its JSON."""
