"""The verbs that show what there is: lists, search, descriptions, lint."""
