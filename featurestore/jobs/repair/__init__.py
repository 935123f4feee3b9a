"""The repair of a range of event time: its rows are computed again from the source."""
