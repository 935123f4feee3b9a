"""Credentials in texts: those in URLs and connection strings, and values that are hidden by name.

The former are found by their form and replaced by ``***``, the latter by their reference.
"""

import json
import re
import threading
from pathlib import PurePosixPath
from urllib.parse import quote, unquote

WITHOUT_CREDENTIALS = (
    "Remove it. Give it to the processes that read and write: by environment variables, such as "
    "AWS_ACCESS_KEY_ID, AZURE_STORAGE_SAS_TOKEN or GOOGLE_APPLICATION_CREDENTIALS, or in Spark's "
    "configuration."
)
"""What to do about a credential in a text."""

_HIDDEN = "***"
_REFERENCE, _WITHOUT_COLON = "${env:", "${env\x00"
_SHORTEST, _UNLIKELY = 4, 8
_URL_SAFE = "/:@&=+,;~!$'()*[]{}"
_hiding = threading.Lock()
# The values that are hidden, the longest first, and their references.
_hidden: list[tuple[re.Pattern[str], str]] = []
# A name that a variable fills in, such as {password}, ${TOKEN}, <secret> or %s, is no credential.
_NO_VARIABLE = r"(?![{$<*%'\"])"
# PERF: names without a limit take minutes in a long text, such as one that encodes an image.
_SECRET_NAMES = (
    r"(?:[\w-]{0,40}(?:signature|secret|token|passw(?:or)?d|credential|pwd|passphrase)[\w-]{0,40}"
    r"|[\w-]{0,40}(?:access|account|api|private|shared|storage)[_-]?key(?:[_-]?id)?|sig|sas|key|auth(?:orization)?|pass|jwt|bearer)"
)
# Names that are secrets wherever a value is assigned to them.
_SURE_NAMES = (
    r"[\w.-]{0,40}(?:secret(?:[._-]?(?:access[._-]?)?key)?|passw(?:or)?d|pwd|passphrase|signature"
    r"|(?:access|account|private|shared|storage)[_.-]?(?:access)?[_.-]?key)"
)
_OF_A_SERVER = r"\b(?:host|hostaddr|server|data source|user|uid|user id|dbname|database)\s*=\s*"
# A password may have blanks. In running text it has one only before a sign that ends it.
_BLANKS = r"(?:(?: +[^\s&;#'\"@]+){1,4}(?=[&;])|(?: +[^\s&;#'\"=@]+){1,4}(?=['\"]|$))?"
# An expression of a program, such as os.environ["PASSWORD"], is no credential.
_NO_CODE = r"(?!\w+(?:\.\w+)*[\[(]|(?:true|false|none|null|[01])\b)"
# .option("password", "..."), {"password": "..."}, connect(password="...")
_IN_CODE = re.compile(
    rf"(?P<before>(?:\b(?:option|set|config)\(\s*(['\"]){_SURE_NAMES}\2\s*,"
    rf"|(['\"]){_SURE_NAMES}\3\s*:|(?<=[\s,(]){_SURE_NAMES}=)\s*(?P<quote>['\"]))"
    rf"{_NO_VARIABLE}[^'\"\n]+(?=(?P=quote))",
    re.IGNORECASE,
)
_SIGNS = re.compile(r"[@='\"]")
_PATTERNS = (
    *(
        re.compile(rf"(?P<before>{before}){_NO_VARIABLE}{secret}", re.IGNORECASE)
        for before, secret in (
            # s3://key:secret@bucket, where the secret may have slashes; a path has s3:/ of it
            (r"\bs3[an]?://?[^/\s@:'\"]*:", r"[^\s'\"]+(?=@)"),
            # scheme://user:password@host, but not scheme://host:8020/data@2
            (r"\b[a-z][a-z0-9+.-]{0,40}://[^/\s@:'\"]*:(?!\d+/)", r"[^\s'\"]+(?=@)"),
            # scheme://user:a password@host, but not scheme://host:8020 or anna@example.com
            (
                r"\b[a-z][a-z0-9+.-]{0,40}://[^/\s@:'\"]*:(?!\d+[/\s])",
                r"[^\s'\"@]+(?: +[^\s'\"@]+){1,4}(?=@)",
            ),
            # https://token@host; in abfss://container@account and hdfs://user@host it is no secret
            (r"\b(?:(?:git\+)?https?|s3[an]?|gs|ftps?)://?", r"[^/\s@:'\"]+(?=@)"),
            # ?sig=..., &X-Amz-Signature=..., ;password=...
            (rf"(?:[?&;#]|\b(?=account[_-]?key=)){_SECRET_NAMES}=", rf"[^\s&;#'\"]+{_BLANKS}"),
            # AWS_SECRET_ACCESS_KEY=..., SharedAccessSignature=..., password=...
            (rf"(?:^|(?<=[\s,;'\"(])){_SURE_NAMES}={_NO_CODE}", rf"[^\s&;#'\"]+{_BLANKS}"),
            # sig=..., but not the folder sig=2/a.csv
            (rf"(?:^|(?<=[\s,;'\"(]))(?:sig|sas)=(?![\w%]*/){_NO_CODE}", r"[^\s&;#'\"]+"),
            # jdbc:oracle:thin:user/password@host
            (r"\bjdbc:oracle:\w+:[^/\s@'\"]+/", r"[^\s'\"]+(?=@)"),
        )
    ),
    # host=h user=u password = 'a password', Server=h;PWD={a;password}
    re.compile(
        rf"(?P<before>{_OF_A_SERVER}[^\n]{{1,200}}?\b(?:password|passwd|pwd)\s*=\s*)"
        r"(?:'(?!\*)[^'\n]+'|\{[^}\n]*[^\w}][^}\n]*\}"
        rf"|{_NO_VARIABLE}{_NO_CODE}[^\s;&'\"]+)",
        re.IGNORECASE,
    ),
    _IN_CODE,
)


def without_credentials(text: str) -> str:
    """Return a text with ``***`` in place of passwords, keys, tokens and signatures in its URLs.

    Example:
        >>> without_credentials("s3://AKIA:wJalr/XUtn@bucket/x, https://h/x?sv=1&sig=Zm9v")
        's3://AKIA:***@bucket/x, https://h/x?sv=1&sig=***'
        >>> without_credentials("abfss://data@account.dfs.core.windows.net/x?snapshot=1")
        'abfss://data@account.dfs.core.windows.net/x?snapshot=1'
    """
    for pattern, reference in tuple(_hidden):
        text = pattern.sub(reference.replace("\\", r"\\"), text)
    return without_credential_forms(text)


def without_credential_forms(text: str) -> str:
    """Return a text with ``***`` in place of what has the form of a credential.

    Values that are hidden by name stay: see `without_credentials`.

    Example:
        >>> without_credential_forms("s3://AKIA:wJalrXUtn@bucket/x")
        's3://AKIA:***@bucket/x'
    """
    # PERF: most texts are names and sentences. Each of the patterns needs one of these signs.
    if not _SIGNS.search(text):
        return text
    # A reference's colon is none of a user and a password.
    text = text.replace(_REFERENCE, _WITHOUT_COLON)
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\g<before>{_HIDDEN}", text)
    return text.replace(_WITHOUT_COLON, _REFERENCE)


def hide(value: str, reference: str) -> None:
    """Show a value as its reference in all texts of this process from now on.

    Other forms of it are hidden too: encoded for a URL or for JSON, and without the scheme of a
    URL. A value of fewer than 8 characters is hidden where it is a whole word: others contain it
    by chance. One of fewer than 4 is not hidden.

    Args:
        value: The value, such as that of an environment variable.
        reference: What is shown in its place.

    Example:
        >>> hide("wJalrXUtn/FEMI", "${env:KEY}")
        >>> without_credentials("cannot open s3://bucket/x?sig=wJalrXUtn%2FFEMI")
        'cannot open s3://bucket/x?sig=${env:KEY}'
    """
    with _hiding:
        known = {pattern.pattern for pattern, _ in _hidden}
        new = [(_pattern(form), reference) for form in _forms(value)]
        new = [each for each in new if each[0].pattern not in known]
        # A longer value may contain a shorter one.
        _hidden[:] = sorted([*_hidden, *new], key=lambda each: -len(each[0].pattern))


def hidden_values() -> tuple[object, ...]:
    """Return what `hide` has hidden by now, as a key: a text without it may be cached no longer.

    Example:
        >>> hidden_values() == hidden_values()
        True
    """
    return tuple(_hidden)


def _forms(value: str) -> set[str]:
    """Return a value as texts may have it."""
    plain = {value, value.strip(), unquote(value), value.rstrip("/"), str(PurePosixPath(value))}
    plain |= {each.partition("://")[2] for each in plain}
    encoded = {quote(each, safe=safe) for each in plain for safe in ("", "/", _URL_SAFE)}
    escaped = {repr(each)[1:-1] for each in plain} | {json.dumps(each)[1:-1] for each in plain}
    return {each for each in plain | encoded | escaped if len(each) >= _SHORTEST}


def _pattern(form: str) -> re.Pattern[str]:
    text = re.escape(form)
    return re.compile(text if len(form) >= _UNLIKELY else rf"(?<!\w){text}(?!\w)")


def has_credentials(text: str) -> bool:
    """Return whether a text has a URL with a password, key, token or signature in it.

    Example:
        >>> has_credentials("jdbc:postgresql://h/db?user=u&password=p"), has_credentials("data/x")
        (True, False)
        >>> has_credentials("https://h/x%3Fsig%3DZm9v")
        True
    """
    # By its form: a text with the value of a variable in it may be a plain path.
    return any(without_credential_forms(each) != each for each in (text, unquote(text)))


def assigns_credentials(code: str) -> bool:
    """Return whether a function's text has a password or a key as a constant.

    Example:
        >>> assigns_credentials("connect(password='p')"), assigns_credentials("f(password=word)")
        (True, False)
    """
    return bool(_IN_CODE.search(code))
