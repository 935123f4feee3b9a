"""Problems of an object store are found in the texts of each library that uses it.

Most texts were recorded with moto's server, and shortened; the code in the XML varies. Those of
expired credentials, of another region, of servers that fail and of s3a without credentials have
the words of the libraries' sources, and were not recorded.
"""

import pytest
from deltalake.exceptions import DeltaError

from featurestore.errors import StorageError
from featurestore.store.failures import failure_text, object_store_error, storage_error

XML = (
    '<?xml version="1.0" encoding="utf-8"?>\n<Error><Code>{}</Code><Message>Something is wrong.'
    "</Message><BucketName>shop</BucketName><AWSAccessKeyId>AKIAEXAMPLE</AWSAccessKeyId></Error>"
)
ARROW = "\n          \x1b[31m↳\x1b[0m "
GET = "Error performing GET http://127.0.0.1:9/shop?list-type=2&prefix=x in 33.5ms"
TRIES = ", after 10 retries, max_retries: 10, retry_timeout: 180s  - "
DEBUG = '\n\nDebug source:\nGeneric {\n    store: "S3",\n    source: RetryError(\n'
NO_BUCKET = "AWS_ENDPOINT_URL"
KEY = "AWS_ACCESS_KEY_ID"
JAVA = "An error occurred while calling o68.save.\n: "
# Each failure of Amazon's library has these lines, whatever has failed.
FRAMES = (
    "\n\tat software.amazon.awssdk.core.internal.http.pipeline.stages.ApiCallTimeoutTrackingStage."
    "execute(ApiCallTimeoutTrackingStage.java:80)\n\tat java.base/java.lang.Thread.run(Thread.java"
    ":840)\n\t... 27 more"
)
CASES = {
    "no credentials, delta-rs": (
        f"Operation not supported{ARROW}the credential provider was not enabled{ARROW}no "
        f"credentials found in chain. Attempted:\n  StorageOptions{ARROW}IMDS disabled by ...",
        KEY,
    ),
    "no credentials, delta-rs with a region": (
        f"Generic S3 error{ARROW}Error performing PUT http://169.254.169.254/latest/api/token in "
        f"3.4s{TRIES}HTTP error: error sending request: tcp connect error: Connection refused",
        KEY,
    ),
    "no credentials, s3a": (
        "org.apache.hadoop.fs.s3a.auth.NoAuthWithAWSException: No AWS Credentials provided by "
        "TemporaryAWSCredentialsProvider",
        KEY,
    ),
    "wrong key, delta-rs": (
        f"Generic S3 error{ARROW}{GET} - Server returned non-2xx status code{ARROW}403 Forbidden"
        f"{ARROW}{XML.format('InvalidAccessKeyId')}",
        KEY,
    ),
    "wrong key, obstore": (
        "The operation lacked the necessary privileges to complete for path x/v.lock: "
        f"{GET} - Server returned non-2xx status code: 403 Forbidden: "
        f"{XML.format('SignatureDoesNotMatch')}{DEBUG}",
        KEY,
    ),
    "wrong key, Arrow": (
        "When testing for existence of bucket 'shop': AWS Error ACCESS_DENIED during HeadBucket "
        "operation: No response body.",
        KEY,
    ),
    "wrong key, s3a": (
        f"{JAVA}java.nio.file.AccessDeniedException: s3://shop/x/_delta_log: getFileStatus on "
        "s3://shop/x/_delta_log: software.amazon.awssdk.services.s3.model.S3Exception: FORBIDDEN "
        "(Service: S3, Status Code: 403, Request ID: TMDh):null\n"
        "\tat org.apache.hadoop.fs.s3a.S3AUtils.translateException(S3AUtils.java:277)",
        KEY,
    ),
    "expired, delta-rs": (
        f"Generic S3 error{ARROW}{GET} - Server returned non-2xx status code{ARROW}400 Bad Request"
        f"{ARROW}{XML.format('ExpiredToken')}",
        "AWS_SESSION_TOKEN",
    ),
    "no bucket, delta-rs": (
        f"Generic S3 error{ARROW}{GET} - Server returned non-2xx status code{ARROW}404 Not Found"
        f"{ARROW}{XML.format('NoSuchBucket')}",
        NO_BUCKET,
    ),
    "no bucket, obstore": (
        f"Object at location x/v.lock not found: {GET} - Server returned non-2xx status code: 404 "
        f"Not Found: {XML.format('NoSuchBucket')}{DEBUG}",
        NO_BUCKET,
    ),
    "no bucket, Arrow": (
        "Bucket 'shop' not found. To create buckets, enable the allow_bucket_creation option.",
        NO_BUCKET,
    ),
    "no bucket, s3a": (
        f"{JAVA}org.apache.hadoop.fs.s3a.UnknownStoreException: `s3://shop/x/_delta_log': "
        "getFileStatus on s3://shop/x/_delta_log: NoSuchBucketException: The specified bucket "
        "does not exist (Service: S3, Status Code: 404, Request ID: lxv3)",
        NO_BUCKET,
    ),
    "http, delta-rs": (
        f"Generic S3 error{ARROW}{GET} - HTTP error{ARROW}builder error{ARROW}URL scheme is not "
        "allowed",
        "AWS_ALLOW_HTTP=true",
    ),
    "http, obstore": (
        f"Generic S3 error: {GET} - HTTP error: builder error{DEBUG}        kind: Builder,\n"
        "        source: BadScheme,\n",
        "AWS_ALLOW_HTTP=true",
    ),
    "down, delta-rs": (
        f"Generic S3 error{ARROW}{GET}{TRIES}HTTP error{ARROW}error sending request{ARROW}client "
        f"error (Connect){ARROW}tcp connect error{ARROW}Connection refused (os error 111)",
        "AWS_ENDPOINT_URL",
    ),
    "down, obstore": (
        f"Generic S3 error: {GET}{TRIES}HTTP error: error sending request{DEBUG}            "
        'message: "Connection refused",\n',
        "AWS_ENDPOINT_URL",
    ),
    "down, Arrow": (
        "When listing objects under key 'x/a/' in bucket 'shop': AWS Error NETWORK_CONNECTION "
        "during ListObjectsV2 operation: curlCode: 7, Could not connect to server",
        "AWS_ENDPOINT_URL",
    ),
    "down, s3a": (
        f"{JAVA}java.net.SocketTimeoutException: getFileStatus on s3://shop/x: Read timed out"
        f"{FRAMES}",
        "AWS_ENDPOINT_URL",
    ),
    "a proxy waits too long, delta-rs": (
        f"Generic S3 error{ARROW}{GET}{TRIES}Server returned non-2xx status code{ARROW}504 "
        "Gateway Timeout",
        "later",
    ),
    "too many requests, s3a": (
        f"{JAVA}org.apache.hadoop.fs.s3a.AWSServiceThrottledException: getFileStatus on s3://shop/x"
        ": software.amazon.awssdk.services.s3.model.S3Exception: Please reduce your request rate. "
        f"(Service: S3, Status Code: 503, Request ID: TMDh):SlowDown{FRAMES}",
        "later",
    ),
    "another region, delta-rs": (
        f"Generic S3 error{ARROW}{GET} - Received redirect without LOCATION, this normally "
        "indicates an incorrectly configured region",
        "AWS_REGION",
    ),
}
NOISE = ("<", "{", "retries", "\x1b", "\n", "AKIA", "Exception", "os error", "Debug")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", [OSError, DeltaError])
def test_a_problem_is_one_sentence_with_the_variable_to_set(
    case: str, kind: type[Exception]
) -> None:
    text, variable = CASES[case]

    error = object_store_error(kind(text), "open table s3://shop/x", "s3://shop/x")

    assert isinstance(error, StorageError)
    assert error.call == "open table s3://shop/x"
    assert not [noise for noise in NOISE if noise in str(error)]
    assert variable in error.fix
    assert len(error.found) < 100


@pytest.mark.parametrize("case", [case for case in CASES if case.startswith("no bucket")])
def test_a_bucket_that_does_not_exist_is_named(case: str) -> None:
    error = storage_error(OSError(CASES[case][0]), "lock s3://shop/v", "s3://shop/v")

    assert "'shop'" in error.found


@pytest.mark.parametrize("case", ["down, delta-rs", "down, obstore", "http, delta-rs"])
def test_the_server_that_was_asked_is_named(case: str) -> None:
    assert "http://127.0.0.1:9" in failure_text(OSError(CASES[case][0]))


def test_the_variables_of_s3_are_not_named_for_another_store() -> None:
    text = "Generic GCS error: Error performing GET https://h/b - 403 Forbidden"

    error = storage_error(OSError(text), "open table gs://b/x", "gs://b/x")

    assert "AWS" not in str(error)


@pytest.mark.parametrize(
    "error",
    [
        OSError(13, "Permission denied", "/data/s3a/403 Forbidden/timed out"),
        OSError(111, "Connection refused"),
        DeltaError("LocalFileSystem error: a.json: Connection refused"),
        ValueError("the value NoSuchBucket is no number"),
    ],
)
def test_an_error_of_a_disk_is_no_problem_of_an_object_store(error: Exception) -> None:
    assert object_store_error(error, "open table data/x", "data/x") is None


def test_the_methods_of_a_stack_trace_say_nothing_of_the_network() -> None:
    text = (
        f"{JAVA}java.io.FileNotFoundException: No such file or directory: s3a://shop/x/1.parquet"
        f"{FRAMES}\nCaused by: software.amazon.awssdk.services.s3.model.NoSuchKeyException: "
        f"(Service: S3, Status Code: 404, Request ID: null){FRAMES}"
    )

    assert object_store_error(OSError(text), "open table s3a://shop/x", "s3a://shop/x") is None


def test_an_unknown_answer_is_shown_without_its_xml_and_the_state_of_objects() -> None:
    text = f"Generic S3 error: {GET}{TRIES}418 Teapot: {XML.format('NoCoffee')}{DEBUG}"

    found = storage_error(OSError(text), "open table s3://shop/x", "s3://shop/x").found

    assert "NoCoffee: Something is wrong." in found
    assert not [noise for noise in NOISE if noise in found]
