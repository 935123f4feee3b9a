"""The parts of a page that tools write: they lie between two comments, which stay."""


def replace_part(text: str, begin: str, part: str, end: str) -> str:
    """Return the text with another part between the comments that begin and end it.

    Args:
        text: The page.
        begin: The comment before the part.
        part: The new part.
        end: The comment after it.

    Raises:
        ValueError: The page lacks one of the comments.
    """
    before, begins, rest = text.partition(begin)
    _, ends, after = rest.partition(end)
    if not begins or not ends:
        raise ValueError(f"the page lacks {begin if not begins else end!r}: write both lines")
    return before + begin + part + end + after
