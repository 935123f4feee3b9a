"""The words of the site, each with what it means. The glossary of the docs has more of them."""

from collections.abc import Mapping

WORDS: Mapping[str, str] = {
    "feature": (
        "A named and typed value of an entity at a moment, such as the sum of a card's payments "
        "in the hour before."
    ),
    "entity": (
        "What features describe, such as a card or a customer. Its join keys are the columns that"
        " identify it."
    ),
    "source": (
        "Where raw rows come from: a Delta table, files, a Kafka topic, or the values of a "
        "request."
    ),
    "view": "Features that come from one source, or from one view, and share keys and times.",
    "on demand": (
        "Computed at each call from other features and from values of the request. Nothing is "
        "stored."
    ),
    "service": "The list of features that one model or one program uses.",
    "spine": (
        "The rows that need features: the examples of a training set, or what is to be scored. "
        "Each has the keys, the moment in a column event_timestamp, and perhaps a label."
    ),
    "t": (
        "The moment of a row of the spine; for newest values it is now. A feature has the value "
        "that was known then."
    ),
    "event time": "When the event of a row happened.",
    "available time": (
        "When a row could first be known. It does not count before, so that a training set has "
        "nothing from the future."
    ),
    "window": "The event times that count, such as the 7 days before t.",
    "transform": (
        "SQL or a function that makes a view's rows from those of its source. It may leave rows "
        "out, or make several of one."
    ),
    "materialize": (
        "To compute a view's new rows and to store them in its table, by `featurestore "
        "materialize`."
    ),
    "run": "One materialization of the rows of a view that are new since the last one.",
    "build": "The first materialization of a view's table, of all rows of its source.",
    "latest table": (
        "A table with one row for each key: the features as of the last run, for SQL. Look-ups by"
        " Python or on the command line are as of now."
    ),
    "schedule": (
        "The times at which a view shall run. Only with one can a view be fresh or due: fresh if "
        "it has run since the last of these times."
    ),
    "fresh": "The view has run since the last time of its schedule. Its events may be old.",
    "domain": "The folder or the file of the definitions that a definition is in.",
    "current": (
        "The view's table fits its definition. It says nothing about how old the newest event is."
    ),
    "expectation": "A check that each row of a view must pass, declared with the view.",
    "quarantine": (
        "The table of the rows that fail a check. They are not stored as features, and can be "
        "released later."
    ),
    "profile": "The statistics of a table or of features, recorded by a run.",
    "drift": (
        "How far the values have moved away from those of an earlier profile, or of a training "
        "set. It needs two profiles to compare."
    ),
    "psi": (
        "The population stability index, a measure of drift: 0 for equal shares of values, above "
        "0.25 for a great change."
    ),
    "undeclared": "Drift beyond a usual threshold, of a feature whose view declares none.",
    "training set": "Rows with their features that somebody saved, to train a model.",
    "health": "What definitions lack, such as an owner or a description. The score is of 100.",
    "lineage": "What is made from what, from the columns of sources to models.",
    "impact": "What breaks if a source loses a column.",
}
"""In the order of the page: what a newcomer meets first is first."""
