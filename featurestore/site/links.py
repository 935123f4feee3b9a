"""Links of texts that the registry has: web and mail addresses only."""

import re
from urllib.parse import quote

_WEB = re.compile(r"https?://[^\s<>\"'`\\]+", re.IGNORECASE)
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII)
_LONGEST = 2000


def href_of(text: str) -> str | None:
    """Return the link of a text that is one web or mail address; None for any other text.

    Example:
        >>> href_of("risk@example.com"), href_of("https://example.com/risk")
        ('mailto:risk@example.com', 'https://example.com/risk')
        >>> href_of("javascript:alert(1)") is None
        True
    """
    if len(text) > _LONGEST:
        return None
    if _WEB.fullmatch(text):
        return quote(text, safe=":/?#[]@!$&()*+,;=%~-._")
    if text.lower().startswith("mailto:"):
        text = text[len("mailto:") :]
    return f"mailto:{text}" if _MAIL.fullmatch(text) else None
