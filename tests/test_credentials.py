"""Credentials in URLs are found, and never shown; addresses without them stay as they are."""

import json
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.credentials import has_credentials, without_credentials
from featurestore.errors import FeatureStoreError, ProjectError
from featurestore.settings import read_settings

WITH = [
    "s3://AKIAKEY:{}@bucket/x",
    "s3a://${env:KEY}:{}@bucket/${env:FOLDER}/x",
    "s3a://AKIAKEY:{}/with+slash@bucket/x",
    "https://user:{}@host/x",
    "https://{}@github.com/x",
    "redis://:{}@host/0",
    "abfss://container:{}@account.dfs.core.windows.net/x",
    "https://a.blob.core.windows.net/c/x?sv=2020-08-04&sp=r&sig={}",
    "https://b.s3.amazonaws.com/x?X-Amz-Credential={}&X-Amz-Signature={}&X-Amz-Security-Token={}",
    "https://storage.googleapis.com/b/x?X-Goog-Signature={}",
    "https://h/x?AWSAccessKeyId=a&Signature={}&Expires=1",
    "gs://b/x?access_token={}",
    "file:///x?token={}",
    "https://h/x#access_token={}",
    "https://h/x?api_key={}&client_secret={}",
    "jdbc:postgresql://h:5432/db?user=u&password={}",
    "jdbc:sqlserver://h:1433;databaseName=d;user=u;password={}",
    "jdbc:oracle:thin:scott/{}@h:1521:x",
    "DefaultEndpointsProtocol=https;AccountName=a;AccountKey={}==;EndpointSuffix=x",
    "the table at s3://a:{}@b, and more",
    "host=h user=u password={}",
    "host=h port=5432 dbname=d user=u password={} sslmode=require",
    "password={} host=h user=u",
    "user = u password = {} host = h",
    "host=h user=u password='a {} b'",
    "Server=h;Database=d;UID=u;PWD={a;{} b}",
    "Data Source=h;User ID=u;Password={};",
    "AWS_SECRET_ACCESS_KEY={}",
    "export AWS_SECRET_ACCESS_KEY={} AWS_REGION=eu",
    "fs.s3a.secret.key={}",
    "spark.hadoop.fs.s3a.secret.key={}",
    "SharedAccessSignature=sv=2021-06-08&sig={}",
    "SharedAccessSignature={}",
    "BlobEndpoint=https://a.blob.core.windows.net;SharedAccessSignature=sv=2021&sig={}",
    "Endpoint=sb://h/;SharedAccessKeyName=n;SharedAccessKey={}",
    "sig={}",
    "private_key={}",
    "postgresql://u:a {} b@h/d",
    "postgresql://u:a/{}/b@h/d",
    "jdbc:postgresql://h/d?user=u&password=a/{}/b&ssl=true",
    "jdbc:sqlserver://h;user=u;password=a {} b;database=d",
    "cannot open 'jdbc:mysql://h/d?user=u&password=a {}'",
    'read.option("user", "u").option("password", "a {}").load()',
    "{'user': 'u', 'fs.s3a.secret.key': '{}'}",
    "s3:/a:{}@b/x",  # as a path
    "Password={};Server=h;Database=d",
    "https://h/x?pass={}&jwt={}",
    "connect(host='h', password='a {}')",
    'conf.set("fs.s3a.secret.key", "{}")',
]
WITHOUT = [
    "data/token=5/x",
    "s3://bucket/key=1/sig=2",
    "hdfs://namenode:8020/data/a@b",
    "hdfs://user@host/x",
    "abfss://data@account.dfs.core.windows.net/x",
    "jdbc:postgresql://h/db?password=${PASSWORD}",
    "s3://${env:KEY}:${env:SECRET}@bucket/x",
    "https://h/x?sv=1&sig=${env:SIGNATURE}",
    'f"jdbc:postgresql://{user}:{password}@{host}/db"',
    "SELECT '?token=%' LIKE url",
    "regexp_extract(url, '[?&]token=([^&]*)')",
    "see https://docs.example.com/x?page=1&sort=key, or ask anna@example.com",
    "see https://docs.example.com:8080 or ask anna@example.com",
    "see s3://bucket: it is empty, ask anna@example.com",
    "sig=2/part=3/a.csv",
    "the token is secret; the password has 8 letters",
    'connect(host=h, password=os.environ["DB_PASSWORD"], secret=get("x"))',
    "host=h user=u password=${PASSWORD}",
    "has_password=true",
    'withColumnRenamed("password", "word").option("password", password)',
    "SELECT secret, pwd FROM {source} WHERE password IS NULL",
]


@pytest.mark.parametrize("text", WITH)
def test_a_credential_is_found_and_hidden(text: str) -> None:
    secret = text.replace("{}", "CANARY")

    assert has_credentials(secret)
    assert "CANARY" not in without_credentials(secret)
    assert "***" in without_credentials(secret)
    assert without_credentials(without_credentials(secret)) == without_credentials(secret)


@pytest.mark.parametrize("text", WITHOUT)
def test_other_addresses_and_texts_stay_as_they_are(text: str) -> None:
    assert not has_credentials(text)
    assert without_credentials(text) == text


@given(st.sampled_from(WITH), st.text("abcXYZ019+/=_-.~", min_size=1, max_size=40))
def test_no_credential_of_any_form_is_shown(text: str, secret: str) -> None:
    if "://{}@" in text or text == "sig={}":
        secret = secret.replace("/", "%2F")  # where a slash ends the host
    if text.endswith("=a {}'"):
        secret = secret.replace("=", "")  # after a blank, a name may begin

    hidden = without_credentials(text.replace("{}", f"Q{secret}Q"))

    assert f"Q{secret}Q" not in hidden


@pytest.mark.parametrize("form", ["https://h/x%3Fsig%3DCANARY", "s3://key%3ACANARY%40bucket/x"])
def test_an_encoded_credential_is_found(form: str) -> None:
    assert has_credentials(form)


@pytest.mark.parametrize("text", ["?" + "token" * 20_000, "a." * 50_000])
def test_long_texts_take_no_longer_than_their_length(text: str) -> None:
    before = process_time()

    assert without_credentials(text) == text

    assert process_time() - before < 2  # names of any length took half a minute


def test_no_part_of_an_error_shows_a_credential() -> None:
    url = "s3://key:CANARY@bucket/x"

    error = FeatureStoreError(f"open {url}", f"{url} is empty", f"Check {url}.")

    assert "CANARY" not in f"{error}{error.call}{error.found}{error.fix}{error.args}"


@pytest.mark.parametrize("setting", ["root", "definitions", "spark_conf"])
def test_a_setting_with_a_credential_is_refused(tmp_path: Path, setting: str) -> None:
    url = json.dumps("s3://key:CANARY@bucket/x")
    (tmp_path / "featurestore.toml").write_text(f'project = "p"\n{setting} = {url}\n')

    with pytest.raises(ProjectError) as caught:
        read_settings(tmp_path)

    assert setting in caught.value.found
    assert "CANARY" not in str(caught.value)
    assert "AWS_ACCESS_KEY_ID" in caught.value.fix
