"""Credentials in URLs and connection strings: found, and replaced by ``***``."""

import re
from urllib.parse import unquote

WITHOUT_CREDENTIALS = (
    "Remove it. Give it to the processes that read and write: by environment variables, such as "
    "AWS_ACCESS_KEY_ID, AZURE_STORAGE_SAS_TOKEN or GOOGLE_APPLICATION_CREDENTIALS, or in Spark's "
    "configuration."
)
"""What to do about a credential in a text."""

_HIDDEN = "***"
# A name that a variable fills in, such as {password}, ${TOKEN}, <secret> or %s, is no credential.
_NO_VARIABLE = r"(?![{$<*%'\"])"
# PERF: names without a limit take minutes in a long text, such as one that encodes an image.
_SECRET_NAMES = (
    r"(?:[\w-]{0,40}(?:signature|secret|token|passw(?:or)?d|credential|pwd|passphrase)[\w-]{0,40}"
    r"|[\w-]{0,40}(?:access|account|api|private|shared|storage)[_-]?key(?:[_-]?id)?|sig|sas|key|auth(?:orization)?)"
)
_PATTERNS = tuple(
    re.compile(rf"(?P<before>{before}){_NO_VARIABLE}{secret}", re.IGNORECASE)
    for before, secret in (
        # s3://key:secret@bucket, where the secret may have slashes
        (r"\bs3[an]?://[^/\s@:'\"]*:", r"[^\s'\"]+(?=@)"),
        # scheme://user:password@host, but not scheme://host:8020/data@2
        (r"\b[a-z][a-z0-9+.-]{0,40}://[^/\s@:'\"]*:(?!\d+/)", r"[^\s'\"]+(?=@)"),
        # https://token@host; in abfss://container@account and hdfs://user@host it is no secret
        (r"\b(?:(?:git\+)?https?|s3[an]?|gs|ftps?)://", r"[^/\s@:'\"]+(?=@)"),
        # ?sig=..., &X-Amz-Signature=..., ;password=...
        (rf"(?:[?&;#]|\b(?=account[_-]?key=)){_SECRET_NAMES}=", r"[^\s&;#'\"]+"),
        # jdbc:oracle:thin:user/password@host
        (r"\bjdbc:oracle:\w+:[^/\s@'\"]+/", r"[^\s'\"]+(?=@)"),
    )
)


def without_credentials(text: str) -> str:
    """Return a text with ``***`` in place of passwords, keys, tokens and signatures in its URLs.

    Example:
        >>> without_credentials("s3://AKIA:wJalr/XUtn@bucket/x, https://h/x?sv=1&sig=Zm9v")
        's3://AKIA:***@bucket/x, https://h/x?sv=1&sig=***'
        >>> without_credentials("abfss://data@account.dfs.core.windows.net/x?snapshot=1")
        'abfss://data@account.dfs.core.windows.net/x?snapshot=1'
    """
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\g<before>{_HIDDEN}", text)
    return text


def has_credentials(text: str) -> bool:
    """Return whether a text has a URL with a password, key, token or signature in it.

    Example:
        >>> has_credentials("jdbc:postgresql://h/db?user=u&password=p"), has_credentials("data/x")
        (True, False)
        >>> has_credentials("https://h/x%3Fsig%3DZm9v")
        True
    """
    return any(without_credentials(each) != each for each in (text, unquote(text)))
