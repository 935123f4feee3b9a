"""The code that a function's result depends on: its syntax, other code and libraries."""
