"""Spark's settings for addresses in S3: how their files are opened, and where the server is."""

import os
from collections.abc import Mapping

from featurestore.engines.spark.session.jars import has_package

_FILE_SYSTEM = "org.apache.hadoop.fs.s3a.S3AFileSystem"


def s3_settings(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return what a session needs to open ``s3://`` addresses; nothing if the cache has no jars.

    The server and its region come from the variables that delta-rs reads, too: AWS_ENDPOINT_URL
    and AWS_REGION. Credentials are no settings: Spark and Amazon's client find them themselves.

    Args:
        environ: The environment variables.

    Raises:
        SetupError: pyspark is not installed.
    """
    if not has_package("s3"):
        return {}
    endpoint = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL")
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    # Another server than Amazon's has its buckets in the path, not in the name of the host.
    server = {"endpoint": endpoint, "path.style.access": "true"} if endpoint else {}
    named = {**server, **({"endpoint.region": region} if region else {})}
    return {
        "spark.hadoop.fs.s3.impl": _FILE_SYSTEM,
        "spark.hadoop.fs.AbstractFileSystem.s3.impl": "org.apache.hadoop.fs.s3a.S3A",
        **{f"spark.hadoop.fs.s3a.{name}": str(value) for name, value in named.items()},
    }
