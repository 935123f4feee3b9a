"""From the JSON of a Feast repository to the text of a module. Pure functions, without Feast."""
