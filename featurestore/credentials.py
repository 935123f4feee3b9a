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


def assigns_credentials(code: str) -> bool:
    """Return whether a function's text has a password or a key as a constant.

    Example:
        >>> assigns_credentials("connect(password='p')"), assigns_credentials("f(password=word)")
        (True, False)
    """
    return bool(_IN_CODE.search(code))
