"""What a function's result depends on: its syntax, and the code and libraries it reaches."""
