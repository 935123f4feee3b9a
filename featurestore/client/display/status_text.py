"""How a run's status, and the cause of its failure, are named for people."""


def cause_of(view: str, message: str) -> str:
    """Return a message without the view's name, which is equal for views that fail alike.

    Example:
        >>> cause_of("activity", "materialize view 'activity': the disk is full")
        "materialize view '': the disk is full"
    """
    return message.replace(view, "")


def status_text(status: str | None) -> str | None:
    """Return a run's status for people.

    Example:
        >>> status_text("done"), status_text("nothing")
        ('done', 'nothing new')
    """
    return "nothing new" if status == "nothing" else status
