"""The text of a spine file, in UTF-8."""

from pathlib import Path

from featurestore.errors import SpineError

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_text(path: Path, call: str) -> str:
    """Return a file's text without its byte order mark.

    Args:
        path: The file.
        call: The call, for errors.

    Raises:
        SpineError: The bytes are no UTF-8. The error names the line.
    """
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        kind = "UTF-16" if data.startswith(_UTF_16) else "no UTF-8"
        raise SpineError(
            call,
            f"the file is {kind}: line {line:,} has the byte 0x{data[error.start]:02x}",
            "Save the file in UTF-8.",
        ) from None
