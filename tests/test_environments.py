"""Environments: another root and registry, and nothing that reaches those of another one."""

import json
from pathlib import Path

import pytest

import featurestore as fs
from featurestore.credentials import without_credentials
from featurestore.environments import VARIABLE
from featurestore.errors import ProjectError
from featurestore.settings import FILE, read_settings
from tests.cli.conftest import run
from tests.client.shop import DEFINITIONS, HOUR, write_view
from tests.tables import feature_table

__all__ = ["run"]

SETTINGS = """\
project = "shop"
root = "store"
memory_limit = "1GB"

[environments.dev]
root = "store-dev"
memory_limit = "2GB"

[environments.test]
root = "store-test"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(VARIABLE, raising=False)
    (tmp_path / FILE).write_text(SETTINGS)
    (tmp_path / "feature_defs").mkdir()
    (tmp_path / "feature_defs" / "shop.py").write_text(DEFINITIONS)
    return tmp_path


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_an_environment_replaces_settings_of_the_project(project: Path) -> None:
    own, dev = read_settings(project), read_settings(project, env="dev")

    assert (own.environment, own.store_root, own.memory_limit, own.title, own.full_name) == (
        *(None, f"{project}/store/shop", 10**9),
        *("shop", "shop"),
    )
    assert (dev.environment, dev.store_root, dev.memory_limit, dev.title, dev.full_name) == (
        *("dev", f"{project}/store-dev/shop", 2 * 10**9),
        *("shop (dev)", "shop-dev"),
    )
    assert read_settings(project, env="test").memory_limit == 10**9


def test_the_argument_comes_before_the_variable(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "dev")

    assert read_settings(project).environment == "dev"
    assert read_settings(project, env="test").environment == "test"
    assert read_settings(project, env="").environment is None


def test_an_environment_changes_nothing_of_another_one(project: Path) -> None:
    prod, dev = fs.FeatureStore(project), fs.FeatureStore(project, env="dev")
    prod.apply(prod.plan())
    write_view(prod, "rate", feature_table({}, [HOUR], {"euro": [1.5]}))
    before = files(project / "store")

    assert dev.registry.latest() is None
    assert dev.plan().builds == ("activity", "profile", "rate")
    dev.apply(dev.plan())
    (project / "feature_defs" / "shop.py").write_text(
        DEFINITIONS + "\nmore = fs.Entity('more', join_keys=(fs.Field('x', fs.String),))\n"
    )
    dev.apply(dev.plan())
    write_view(dev, "rate", feature_table({}, [HOUR, 2 * HOUR], {"euro": [1.5, 2.5]}))

    assert files(project / "store") == before
    assert (len(dev.registry.history()), len(prod.registry.history())) == (2, 1)
    assert [each.rows for each in prod.status("rate")] == [1]
    assert [each.rows for each in dev.status("rate")] == [2]


def test_every_verb_with_a_project_has_the_option(run, project: Path) -> None:
    assert run("apply", "--yes", "-p", project, "--env", "dev")[0] == 0

    assert run("plan", "-p", project, "--env", "dev", "--detailed-exitcode")[0] == 0
    assert run("plan", "-p", project, "--detailed-exitcode")[0] == 3  # and not of the verb before
    code, _, err = run("status", "-p", project, "--env", "dev")
    assert (code, "dev" in err, "store-dev" in err.replace("\n", "")) == (0, True, True)
    assert run("schedule", "--help")[0] == 0


def test_the_variable_chooses_for_verbs(
    run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "dev")

    assert run("apply", "--yes", "-p", project)[0] == 0

    assert not (project / "store").exists()
    assert len(json.loads(run("history", "-p", project, "--json")[1])["history"]) == 1


def test_the_site_says_of_which_environment_it_is(run, project: Path) -> None:
    run("apply", "--yes", "-p", project, "--env", "dev")

    assert run("docs", "build", "-p", project, "--env", "dev", "--out", project / "site")[0] == 0

    assert "shop (dev)" in (project / "site" / "index.html").read_text("utf-8")


def test_an_unknown_environment_offers_near_names(project: Path) -> None:
    with pytest.raises(ProjectError) as refused:
        fs.FeatureStore(project, env="dve")

    assert ("'dve'" in refused.value.found, "'dev'" in refused.value.fix) == (True, True)


def test_without_environments_the_table_to_write_is_shown(project: Path) -> None:
    (project / FILE).write_text('project = "shop"\n')

    with pytest.raises(ProjectError) as refused:
        read_settings(project, env="dev")

    assert "[environments.dev]" in refused.value.fix


@pytest.mark.parametrize(
    ("lines", "part"),
    [
        ("environments = 3", "environments is 3"),
        ("[environments]\ndev = 3", "[environments.dev] has no root"),
        ('[environments.dev]\nmemory_limit = "1GB"', "[environments.dev] has no root"),
        ('[environments.dev]\nroot = "a"\nproject = "b"', "[environments.dev] sets project"),
        ('[environments."a b"]\nroot = "a"', "'a b'"),
        ('[environments.dev]\nroot = "./store/"', "the root of the project"),
        ('[environments.a]\nroot = "x"\n[environments.b]\nroot = "x/"', "of environment 'a'"),
        ('[environments.a]\nroot = "s3://b/x"\n[environments.b]\nroot = "s3://b/x/"', "'a'"),
        ('[environments.a]\nroot = "s3://b/x"\n[environments.b]\nroot = "s3a://b/x"', "'a'"),
        ('[environments.a]\nroot = "s3://b/x"\n[environments.b]\nroot = "S3://b//x"', "'a'"),
        ('[environments.a]\nroot = "/x"\n[environments.b]\nroot = "file:///x"', "'a'"),
        ('[environments.dev]\nroot = "{project}/store"', "the root of the project"),
        ('[environments.a]\nroot = "${env:NONE}"\n[environments.b]\nroot = "${env:NONE}"', "'a'"),
    ],
)
def test_wrong_tables_of_environments_are_errors(project: Path, lines: str, part: str) -> None:
    (project / FILE).write_text(f'project = "shop"\n{lines}\n'.replace("{project}", str(project)))

    with pytest.raises(ProjectError) as refused:
        read_settings(project)

    assert part in refused.value.found
    assert refused.value.fix


def test_wrong_settings_of_an_environment_are_errors(project: Path) -> None:
    (project / FILE).write_text('project = "p"\n[environments.dev]\nroot = "a"\nretires = 1\n')

    with pytest.raises(ProjectError) as refused:
        read_settings(project, env="dev")

    assert ("'retires'" in refused.value.found, "retries" in refused.value.fix) == (True, True)


def test_equal_roots_are_found_by_the_values_of_references(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXAMPLE_ROOT_OF_DEV", "s3://secret-bucket-1/x")
    (project / FILE).write_text(
        'project = "p"\nroot = "s3://secret-bucket-1/x"\n'
        '[environments.dev]\nroot = "${env:EXAMPLE_ROOT_OF_DEV}"\n'
    )

    with pytest.raises(ProjectError) as refused:
        read_settings(project)

    assert "'dev'" in refused.value.found
    assert "secret-bucket-1" not in without_credentials(str(refused.value))


def test_the_root_of_another_environment_need_no_variable(project: Path) -> None:
    (project / FILE).write_text(
        'project = "p"\nroot = "${env:NO_SUCH_ROOT}"\n[environments.dev]\nroot = "store-dev"\n'
    )

    assert read_settings(project, env="dev").store_root == f"{project}/store-dev/p"
