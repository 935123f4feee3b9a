"""Why a value is what it is: the row that won, or the rows that were excluded and why."""
