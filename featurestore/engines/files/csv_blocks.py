"""CSV files as blocks of whole records, decoded and checked against RFC 4180.

Arrow's parser accepts a quote that is never closed, and joins text after a closing quote to the
value. Both change values in silence, so the quotes are checked first. The check is skipped for
blocks without a quote.
"""

import codecs
import re
from collections.abc import Iterator
from functools import cache
from typing import BinaryIO

from featurestore.engines.files.problem import FileProblemError

BLOCK_BYTES = 8 << 20
LONGEST_RECORD = 64 << 20
"""The most characters of a record: more are held in memory only if a file is damaged."""

_MARKS = {
    b"\xff\xfe": "Add encoding='utf-16' to the source.",
    b"\xfe\xff": "Add encoding='utf-16' to the source.",
    b"\x1f\x8b": "It is compressed by gzip: add .gz to its name.",
    b"PK\x03\x04": "It is a zip file, or a workbook of Excel: save it as a text file.",
    b"PAR1": "It is a Parquet file: correct its name, or format= of the source.",
}
"""What to do about files that begin with these bytes."""


def text_blocks(stream: BinaryIO, encoding: str, delimiter: str) -> Iterator[str]:
    """Yield the text of a CSV file in blocks of whole records.

    Args:
        stream: The file's bytes.
        encoding: Its encoding. A byte order mark of UTF-8 is skipped.
        delimiter: The character between values.

    Raises:
        FileProblemError: The bytes do not decode, or a quote breaks RFC 4180.

    Example:
        >>> import io
        >>> list(text_blocks(io.BytesIO(b'a,b'), "utf-8", ","))
        ['a,b']
    """
    rest, line = "", 1
    for text in decoded(stream, encoding):
        rest += text
        block = rest[: _end_of_records(rest, delimiter)]
        rest = rest[len(block) :]
        if len(rest) > LONGEST_RECORD:
            raise _wrong_quote(line + _lines(block))
        line += _lines(block)
        if block:
            yield block
    if rest and _end_of_records(rest + "\n", delimiter) != len(rest) + 1:
        closed = rest[: _end_of_records(rest, delimiter)]
        raise _wrong_quote(line + _lines(closed))
    if rest:
        yield rest


def decoded(stream: BinaryIO, encoding: str) -> Iterator[str]:
    """Yield a file's text in blocks.

    Raises:
        FileProblemError: The bytes do not decode.

    Example:
        >>> import io
        >>> list(decoded(io.BytesIO(b"abc"), "utf-8"))
        ['abc']
    """
    name = "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
    decoder, lines = codecs.getincrementaldecoder(name)(), 1
    while True:
        data = stream.read(BLOCK_BYTES)
        try:
            text = decoder.decode(data, final=not data)
        except UnicodeError as error:
            raise _undecodable(error, encoding, lines) from None
        if text:
            yield text
        if not data:
            return
        lines += _lines(text)


def _undecodable(error: UnicodeError, encoding: str, lines: int) -> FileProblemError:
    place, start = "", b""
    if isinstance(error, UnicodeDecodeError):
        start = error.object if lines == 1 else b""
        line = lines + error.object[: error.start].count(b"\n")
        wrong = error.object[error.start : error.start + 1]
        place = f" (line {line}, byte 0x{wrong.hex()})"
    usual = (
        "Add encoding= to the source, e.g. encoding='latin-1' or 'cp1252', or write the file in "
        f"{encoding}."
    )
    fix = next((fix for mark, fix in _MARKS.items() if start.startswith(mark)), usual)
    return FileProblemError(f"its bytes are not {encoding}{place}", fix)


def _end_of_records(text: str, delimiter: str) -> int:
    if '"' not in text:
        return max(text.rfind("\n"), text.rfind("\r", 0, -1)) + 1
    match = _records(delimiter).match(text)
    return match.end() if match else 0


@cache
def _records(delimiter: str) -> re.Pattern[str]:
    between = re.escape(delimiter)
    quoted = r'"[^"]*+(?:""[^"]*+)*+"'
    plain = rf'[^"{between}\r\n][^{between}\r\n]*+'
    value = rf"(?:{quoted}|{plain}|)"
    return re.compile(rf"(?:{value}(?:{between}{value})*+(?:\r\n|\n|\r(?!\Z)))*+")


def _lines(text: str) -> int:
    return text.count("\n")


def _wrong_quote(line: int) -> FileProblemError:
    return FileProblemError(
        f"the record at line {line} has a quote that is not closed, or text after a closing quote",
        'Correct the record: quotes in a quoted value come twice (RFC 4180), as in "say ""hi""".',
    )
