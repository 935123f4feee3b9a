"""Data for the site's scripts: classic scripts that call a function, which load from a folder."""

import json


def script(function: str, *values: object) -> str:
    """Return a script that calls a function of the site's scripts with data.

    Args:
        function: The function's name.
        values: Its arguments: plain data of JSON.

    Example:
        >>> script("featurestoreHead", [1, 2], "a").strip()
        'featurestoreHead([1,2],"a");'
    """
    texts = (json.dumps(value, separators=(",", ":")) for value in values)
    return f"{function}({','.join(texts)});\n"
