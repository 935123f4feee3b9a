"""How hard the property tests try; ``HYPOTHESIS_PROFILE=soak`` makes all of them try harder.

``SOAK_SHARE=0.1`` runs a soak with a tenth of its counts.
"""

import os

from hypothesis import settings

ORDINARY = 100
SOAK_SHARE = float(os.environ.get("SOAK_SHARE", "1"))
SOAK = max(1, round(50 * ORDINARY * SOAK_SHARE))
"""The number of examples of a soak where an ordinary run has `ORDINARY`."""


def examples(number: int) -> settings:
    """Return settings for so many examples in an ordinary run, and more in a harder one."""
    return settings(max_examples=max(1, number * settings().max_examples // ORDINARY))


def is_soak() -> bool:
    """Return whether the tests run as a soak, which counts in rounds rather than in examples."""
    return settings.get_current_profile_name() == "soak"


def rounds(ordinary: int, soak: int) -> int:
    """Return the number of rounds of a test: of an ordinary run, or of a soak."""
    return max(ordinary, round(soak * SOAK_SHARE)) if is_soak() else ordinary
