"""Examples of docstrings as code: Griffe knows them below ``Examples:`` only."""

import re
from typing import Any

import griffe


class Examples(griffe.Extension):
    """Rename the sections ``Example:``."""

    def on_instance(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Rename the section of one docstring."""
        if obj.docstring:
            named = re.sub(r"^Example:$", "Examples:", obj.docstring.value, flags=re.MULTILINE)
            obj.docstring.value = named
