"""What is wrong with an object store, found in the texts of the libraries that use it.

delta-rs, obstore, Arrow and Spark's s3a report the same few problems, each in its own words: with
the XML of the store's answer, with the state of Rust's objects, or with Java's class names. A
problem that is known here is said in one sentence, without their texts.
"""

import re
from dataclasses import dataclass

_SCHEMES = r"s3[an]?|gs|gcs|abfss?|adl|azure?|wasbs?"
_ADDRESS = re.compile(rf"\b(?P<scheme>{_SCHEMES})://(?P<bucket>[^/\s'\"`,;:?]+)")
_OF_A_STORE = re.compile(
    rf"Generic (?:S3|GCS|MicrosoftAzure|HTTP) error|Error performing [A-Z]+|AWS Error|\bIMDS\b|"
    rf"Bucket '|no credentials found in chain|\bs3a\b|amazonaws|\b(?:{_SCHEMES})://"
)
_BUCKET = re.compile(r"<BucketName>(?P<a>[^<]+)<|[Bb]ucket '(?P<b>[^']+)'")
_SERVER = re.compile(r"\bhttps?://[^/\s,;?'\"`()]+")
# What a text says of the network, and how featurestore says it.
_REASONS = {
    "Connection refused": "connection refused",
    "Could not connect to server": "connection refused",
    "onnection reset": "the connection was reset",
    "dns error": "no server has this name",
    "UnknownHostException": "no server has this name",
    "Could not resolve host": "no server has this name",
    "timed out": "no answer in time",
    "Timeout": "no answer in time",
    "No route to host": "there is no route to it",
    "Network is unreachable": "there is no network",
    "invalid peer certificate": "its certificate is not valid for this machine",
}
_REASON = re.compile("|".join(_REASONS))
_XML = re.compile(r"<\?xml.*|<Error>.*", re.DOTALL)
_XML_TEXT = re.compile(r"<(?:Code|Message)>([^<]*)<")
# Amazon's library has methods with "Timeout" in their names in the stack trace of each failure.
_FRAMES = re.compile(r"^[ \t]+(?:at .*|\.{3} \d+ (?:more|common frames omitted))$", re.MULTILINE)
_DEBUG = re.compile(r"\s*Debug source:.*", re.DOTALL)
_RETRIES = re.compile(r" in [\d.]+\S*s(?:, after \d+ retries[^\n]*?retry_timeout: \d+s)?\s+-(?= )")
_OTHER_FIX = (
    "Check the address, the network and the credentials for it, then run the same command again."
)
_KEYS = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
_RIGHTS = "The key or the role needs to get, put, list and delete objects below the root."


@dataclass(frozen=True)
class ObjectStoreProblem:
    """What is wrong with an object store.

    Args:
        found: What was found, as a clause.
        fix: What to do next, as a sentence.
    """

    found: str
    fix: str


@dataclass(frozen=True)
class _Known:
    """A problem: how the texts of libraries say it, and how featurestore says it."""

    texts: re.Pattern[str]
    found: str
    fix: str


# The first that fits is used. What a machine's own service for roles answers says nothing of the
# object store, so it comes before the store's answers. A store that has answered is no network
# that fails: its answers come before that.
_PROBLEMS = (
    _Known(
        re.compile(r"URL scheme is not allowed|BadScheme"),
        "{server} has no TLS, and that is not allowed",
        "Set AWS_ALLOW_HTTP=true if this server has no TLS. Otherwise let AWS_ENDPOINT_URL begin "
        "with https://.",
    ),
    _Known(
        re.compile(
            r"no credentials found in chain|IMDS|169\.254\.1(?:69\.254|70\.2)|"
            r"/latest/(?:api/token|meta-data)|"
            r"while loading credentials|No AWS Credentials|Unable to load credentials"
        ),
        "there are no credentials for the object store",
        f"Set {_KEYS}, or give the machine a role. {_RIGHTS}",
    ),
    _Known(
        re.compile(r"NoSuchBucket|NO_SUCH_BUCKET|Bucket '[^']*' not found|Bucket does not exist"),
        "the bucket{bucket} does not exist",
        "Create it, or correct the address, or the server in AWS_ENDPOINT_URL.",
    ),
    _Known(
        re.compile(r"ExpiredToken|TokenRefreshRequired|EXPIRED_TOKEN"),
        "the credentials for the object store have expired",
        f"Set {_KEYS} and AWS_SESSION_TOKEN to new ones.",
    ),
    _Known(
        re.compile(
            r"InvalidAccessKeyId|INVALID_ACCESS_KEY_ID|SignatureDoesNotMatch|"
            r"SIGNATURE_DOES_NOT_MATCH|InvalidToken|InvalidClientTokenId|INVALID_CLIENT_TOKEN_ID"
        ),
        "the object store does not know these credentials",
        f"Correct {_KEYS} (and AWS_SESSION_TOKEN, if they are temporary), or the server in "
        "AWS_ENDPOINT_URL.",
    ),
    _Known(
        re.compile(
            r"AccessDenied|ACCESS_DENIED|40[13] (?:Forbidden|Unauthorized)|Status Code: 40[13]|"
            r"lacked the necessary privileges"
        ),
        "the object store refuses these credentials",
        f"Check {_KEYS}, or the role of the machine. {_RIGHTS}",
    ),
    _Known(
        re.compile(
            r"PermanentRedirect|AuthorizationHeaderMalformed|redirect without LOCATION|"
            r"IllegalLocationConstraint|\b301 Moved"
        ),
        "the bucket{bucket} is in another region",
        "Set AWS_REGION to the region of the bucket.",
    ),
    _Known(
        re.compile(
            r"SlowDown|SLOW_DOWN|code: 5\d\d|Status Code: 5\d\d|INTERNAL_FAILURE|"
            r"\b50\d (?:Internal Server Error|Bad Gateway|Service Unavailable|Gateway Timeout)"
        ),
        "{server} has failed, or has too many requests",
        "Run the same command again later.",
    ),
    _Known(
        re.compile(rf"{_REASON.pattern}|error sending request|NETWORK_CONNECTION"),
        "{server} does not answer{reason}",
        "Check that the server runs, that this machine reaches it, and AWS_ENDPOINT_URL. Then run "
        "the same command again.",
    ),
)


def object_store_problem(text: str, address: str = "") -> ObjectStoreProblem | None:
    """Return what is wrong with an object store, or None if a text says nothing that is known.

    Args:
        text: What a library says: its exception as a text. Of Java's stack trace, only the
            messages count.
        address: The requested URL, if it is known.

    Example:
        >>> text = "Error performing GET http://h:9/b - tcp connect error: Connection refused"
        >>> object_store_problem(text, "s3://b/x").found
        'the object store at http://h:9 does not answer: connection refused'
        >>> object_store_problem("No space left on device", "store/a.json") is None
        True
    """
    named = _ADDRESS.search(address) or _ADDRESS.search(text)
    if named is None and not _OF_A_STORE.search(text):
        return None
    text = _FRAMES.sub("", text)
    known = next((each for each in _PROBLEMS if each.texts.search(text)), None)
    if known is None:
        return None
    server, reason = _SERVER.search(text), _REASON.search(text)
    found = known.found.format(
        server=f"the object store at {server[0]}" if server else "the object store",
        bucket=_bucket(named, text),
        reason=f": {_REASONS[reason[0]]}" if reason else "",
    )
    is_s3 = named is None or named["scheme"].startswith("s3")
    return ObjectStoreProblem(found, known.fix if is_s3 else _OTHER_FIX)


def without_debug_text(text: str) -> str:
    """Return what a library says of an object store without XML, Rust's objects and retries.

    Example:
        >>> without_debug_text("403 Forbidden: <?xml?><Error><Code>A</Code><Message>b</Message>")
        '403 Forbidden: A: b'
    """
    text = _RETRIES.sub(":", _DEBUG.sub("", text))
    return _XML.sub(lambda xml: ": ".join(_XML_TEXT.findall(xml[0])), text)


def _bucket(named: "re.Match[str] | None", text: str) -> str:
    if named is not None:
        return f" {named['bucket'].rpartition('@')[2]!r}"
    said = _BUCKET.search(text)
    return f" {said['a'] or said['b']!r}" if said else ""
