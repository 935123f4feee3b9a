"""Names: those that the store takes, and variables of which each names one definition."""

import builtins
import keyword
import re
from dataclasses import dataclass, field

_LONGEST = 63
TAKEN = frozenset({"fs", "pa", *dir(builtins)})
"""The names that no definition and no function of a module may have: imports, Python's own."""


def plain(name: str) -> str:
    """Return the nearest name of letters, digits and underscores that begins with a letter.

    Example:
        >>> plain("driver-stats v2"), plain("7d_sum"), plain("_x")
        ('driver_stats_v2', 'n_7d_sum', 'x')
    """
    kept = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_") or "unnamed"
    return (kept if kept[0].isalpha() else f"n_{kept}")[:_LONGEST]


@dataclass
class Names:
    """The names of one module.

    Args:
        variables: The variables that are taken.
    """

    variables: set[str] = field(default_factory=lambda: set(TAKEN))

    def variable(self, name: str, kind: str) -> str:
        """Return a variable for a definition: its name, or its name and kind if that is taken.

        Example:
            >>> names = Names()
            >>> names.variable("driver", "entity"), names.variable("driver", "view")
            ('driver', 'driver_view')
        """
        wished = plain(name)
        choices = [wished, f"{wished}_{kind}", *(f"{wished}_{kind}_{n}" for n in range(2, 999))]
        chosen = next(
            each for each in choices if each not in self.variables and not keyword.iskeyword(each)
        )
        self.variables.add(chosen)
        return chosen
