"""How hard the property tests try; ``HYPOTHESIS_PROFILE=soak`` makes all of them try harder."""

from hypothesis import settings

ORDINARY = 100


def examples(number: int) -> settings:
    """Return settings for so many examples in an ordinary run, and more in a harder one."""
    return settings(max_examples=max(1, number * settings().max_examples // ORDINARY))
