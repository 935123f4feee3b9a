"""Commands in messages are for the environment of the call that printed them."""

from featurestore.cli.output import ENVIRONMENT, in_environment

SETTINGS = """
[environments.dev]
root = "dev"
"""


def test_the_hints_of_a_verb_name_its_environment(run, filled):
    folder = filled.settings.folder
    settings = folder / "featurestore.toml"
    settings.write_text(settings.read_text("utf-8") + SETTINGS, "utf-8")

    code, _, error = run("status", "-p", folder, "--env", "dev")
    applied, _, hints = run("apply", "--yes", "-p", folder, "--env", "dev")

    assert (code, applied) == (2, 0)
    assert "`featurestore apply --env dev`" in " ".join(error.split())
    assert hints.strip().endswith("--env dev")


def test_without_the_option_hints_stay_as_they_are(run, filled):
    code, _, error = run("latest", "frawd", "id=1", "-p", filled.settings.folder)

    assert code == 2
    assert "--env" not in error


def test_only_verbs_that_know_environments_get_the_option():
    token = ENVIRONMENT.set("dev")
    try:
        text = in_environment("Run `featurestore setup`, then `featurestore materialize v`.")
    finally:
        ENVIRONMENT.reset(token)

    assert text == "Run `featurestore setup`, then `featurestore materialize v --env dev`."
