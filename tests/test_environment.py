"""References to environment variables: resolved where they are used, hidden from then on."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from featurestore import credentials
from featurestore.environment import reference_problem, resolve
from featurestore.errors import DefinitionError, FeatureStoreError, ProjectError, SetupError
from featurestore.settings import read_settings
from featurestore.store.paths import address
from tests.definitions.rules.cases import PAYMENTS, issues

SECRETS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=6, max_size=30
).map(lambda text: f"Q{text}Q")


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """Show again, after each test, what it has hidden."""
    before = list(credentials._hidden)
    yield
    credentials._hidden[:] = before
    os.environ.pop("EXAMPLE_SECRET", None)


@given(secret=SECRETS)
@example("s3://key:se/cr+et@bucket/x?sig=Zm9v%3D")
@example("Qa\\1\\g<0>\nb'\"Q")
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_value_is_hidden_in_each_form_of_a_message(secret: str) -> None:
    os.environ["EXAMPLE_SECRET"] = secret

    resolved = resolve("x/${env:EXAMPLE_SECRET}/y")
    forms = [
        secret,
        repr(secret)[1:-1],
        json.dumps(secret)[1:-1],
        quote(secret),
        quote(secret, ""),
    ]
    errors = [FeatureStoreError(f"open {form}", f"'{form}' is gone", form) for form in forms]

    assert resolved == f"x/{secret}/y"
    for form, error in zip(forms, errors, strict=True):
        assert form not in f"{error.call}\t{error.found}\t{error.fix}"
        assert "${env:EXAMPLE_SECRET}" in error.call
    credentials._hidden.clear()


def test_the_rest_of_an_address_is_hidden_without_its_scheme() -> None:
    os.environ["EXAMPLE_SECRET"] = "s3://the-bucket/folder"
    resolve("${env:EXAMPLE_SECRET}")

    error = FeatureStoreError(
        "list the-bucket/folder/a.csv", "s3a://the-bucket/folder is gone", ""
    )

    assert error.call == "list ${env:EXAMPLE_SECRET}/a.csv"
    assert "the-bucket" not in error.found


def test_a_short_value_is_hidden_as_a_word_only() -> None:
    os.environ["EXAMPLE_SECRET"] = "dev1"
    resolve("${env:EXAMPLE_SECRET}")

    error = FeatureStoreError("open s3://b-dev1/x", "device dev12 is gone", "")

    assert (error.call, error.found) == (
        "open s3://b-${env:EXAMPLE_SECRET}/x",
        "device dev12 is gone",
    )


@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_is_not_set_is_named(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    if value is not None:
        monkeypatch.setenv("NO_SUCH_BUCKET", value)

    with pytest.raises(SetupError) as caught:
        address("s3://${env:NO_SUCH_BUCKET}/x", "/project")

    assert "'s3://${env:NO_SUCH_BUCKET}/x'" in caught.value.call
    assert "NO_SUCH_BUCKET" in caught.value.found
    assert "export NO_SUCH_BUCKET=" in caught.value.fix


def test_a_value_is_not_resolved_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXAMPLE_SECRET", "a-${env:OTHER_SECRET}")
    monkeypatch.setenv("OTHER_SECRET", "never-read")

    assert resolve("${env:EXAMPLE_SECRET}") == "a-${env:OTHER_SECRET}"


BROKEN = ["${env:}", "${env:A B}", "${env:A-B}", "${env:1A}", "${env:A", "${env}", "${ENV:A}"]
BROKEN += ["${env:A${env:B}}", "${env:../x}", "${ env:A}", "s3://${env:A}/${env:"]


@pytest.mark.parametrize("text", BROKEN)
def test_a_reference_that_is_not_well_formed_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "featurestore.toml").write_text(f'project = "p"\nroot = "{text}"\n')

    with pytest.raises(SetupError):
        resolve(text)
    with pytest.raises(ProjectError) as caught:
        read_settings(tmp_path)
    found = [each.rule for each in issues(replace(PAYMENTS, path=text))]

    assert "root" in caught.value.found
    assert "references_are_well_formed" in found


@pytest.mark.parametrize("text", ["data/{a,b}.csv", "a$b", "${NAME}", "$env", "{env:A}", ""])
def test_other_texts_have_no_references(text: str) -> None:
    assert reference_problem(text) == ""
    assert resolve(text) == text


@pytest.mark.parametrize("name", ["project", "memory_limit", "retry_delay"])
def test_a_setting_that_is_no_address_has_no_reference(tmp_path: Path, name: str) -> None:
    lines = {"project": '"p"'} | {name: '"${env:EXAMPLE_SECRET}"'}
    text = "\n".join(f"{key} = {value}" for key, value in lines.items())
    (tmp_path / "featurestore.toml").write_text(text)

    with pytest.raises(ProjectError) as caught:
        read_settings(tmp_path)

    assert name in caught.value.found
    assert "root, definitions, spark_conf" in caught.value.fix
    assert DefinitionError.exit_code == caught.value.exit_code == 2


def test_a_plain_path_that_contains_a_variable_s_value_is_no_credential(tmp_path: Path) -> None:
    os.environ["EXAMPLE_SECRET"] = str(tmp_path / "warehouse")
    resolve("${env:EXAMPLE_SECRET}/store")

    assert not credentials.has_credentials(str(tmp_path / "warehouse" / "raw"))
    assert issues(replace(PAYMENTS, path=str(tmp_path / "warehouse" / "raw"))) == []
