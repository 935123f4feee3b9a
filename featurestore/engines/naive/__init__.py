"""The naive way: the rules of point-in-time answers in plain Python, obvious by reading.

It is the truth that every engine is held to, by the tests and by `featurestore verify`, and what
explanations are told by. One function a rule, no cleverness, O(spine x rows), and nothing of the
kernel. Times are integers (microseconds), rows are dictionaries of stored columns, values are
Python's own. Where this and an engine differ, read the rules; where they leave a choice, it is
written here.

`rows` says which rows exist and how they rank, `features` what is answered from them, `functions`
what an aggregate makes of its window's values, and `agreement` how near floats must come.
"""
