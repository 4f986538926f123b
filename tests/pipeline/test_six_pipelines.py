# SPDX-License-Identifier: MIT
"""Six pipelines as public repositories have them, each harder than the one before; and each broken in one place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kit_pipeline.api import Pipeline
from tests.pipeline.project import COMMIT, Project
from tests.pipeline.shelf import Shelf

SECRET = "canary-5a1e-password"
LICENCE = "canary-71c3-licence"


def test_one_service_is_built_and_its_commands_run(project: Project) -> None:
    done = project.copied("1-single-service").green()
    assert done.said("tests") == ["hello, tests"]
    assert done.said("greeting") == ["hello, world"]
    assert "good morning, build" in done.said("app")
    assert "result=passed passed=2" in done.log
    assert [name.partition("/app-")[0].count("/") for name in project.images()] == [1], "one image, privately named"


def test_a_build_that_fails_says_which_line_and_what_it_said(project: Project) -> None:
    done = project.copied("1-single-service", broken=True).steps()
    assert done.code == 1
    assert "no greeting for build" in done.said("app")
    assert re.search(r"/Dockerfile:8: .*The image of app was not built: ", done.log), done.log
    assert "returned a non-zero code: 3" in done.log
    assert done.said("greeting") == [], "what follows is not begun"


def test_a_database_is_awaited_found_by_its_names_and_new_for_each_step(project: Project) -> None:
    done = project.copied("2-database-and-app").green()
    first, *answers = done.said("migrate")
    where, _, rest = first.partition(" is where ")
    assert where.startswith("tcp://")
    assert where.endswith(":7000")
    assert rest == "/app/db is, kept here", "as links have told since Docker 1.0"
    assert answers == ["SET version 7: 7", "GET version: 7"]
    assert done.said("forgotten")[1:] == ["GET version: nothing"]
    assert done.said("db").count("ready, kept here") == 2


def test_a_database_that_is_not_well_fails_the_step_with_what_its_check_said(project: Project) -> None:
    done = project.copied("2-database-and-app", broken=True).steps()
    assert done.code == 1
    assert "db is unhealthy: nobody listens at 7000." in done.log
    assert done.said("migrate") == [], "the step has not begun"


def test_tests_run_side_by_side_and_a_chain_for_each_service(project: Project) -> None:
    done = project.copied("3-parallel-tests").green()
    for name, version in {"unit": "2.10", "lint": "2.10", "browser": "3.0"}.items():
        assert done.said(name) == [f"{name} {version}: line {number}" for number in (1, 2, 3)]
    assert sorted(done.said("check")) == sorted(f"check {v}: line {n}" for v in ("2.10", "3.0") for n in (1, 2, 3))
    assert done.said("report") == ["all is well"]
    assert "the suites failed" not in done.log


def test_siblings_of_what_failed_finish_and_then_the_run_ends(project: Project) -> None:
    done = project.copied("3-parallel-tests", broken=True).steps()
    assert done.code == 1
    assert done.said("lint") == ["lint: a line is too long"]
    assert done.said("browser") == ["browser 3.0: line 3"]
    assert "the suites failed" in done.log, "on_fail is done"
    assert "exit code 4" in done.log
    assert done.said("report") == []
    assert done.said("prepare") == []


def test_what_is_encrypted_reaches_builds_and_containers_and_no_log(project: Project) -> None:
    project.copied("4-encrypted")
    project.encrypted("secrets.env.encrypted", f"SHARED=secret file\nPASSWORD={SECRET}\n")
    project.encrypted("args.env.encrypted", f"LICENCE={LICENCE}\n")
    done = project.green("-e", "LEVEL=from the command line")
    said = done.said("show")
    assert said[0] == '***, ***, as it is, "quotes stay"'.replace("***", "from the command line", 1)
    assert said[1] == f"for master with a licence of {len(LICENCE)} letters"
    assert said[2].endswith(f"is {len(SECRET)} long")
    assert SECRET not in done.log + done.out
    assert LICENCE not in done.log + done.out


@pytest.mark.parametrize("wrong", ["key", "name", "no key"])
def test_what_cannot_be_decrypted_says_which_file_and_what_to_do(project: Project, wrong: str) -> None:
    project.copied("4-encrypted", broken=wrong == "name")
    project.encrypted("secrets.env.encrypted", f"PASSWORD={SECRET}\n").encrypted("args.env.encrypted", "LICENCE=x\n")
    if wrong != "name":
        (project.folder / "codeship.aes").unlink()
    if wrong == "key":
        assert project.kit("generate").code == 0
    done = project.steps()
    assert done.code == 2
    words = {
        "key": ("args.env.encrypted", "wrong key"),
        "name": ("plain.env is not encrypted", "kit-pipeline encrypt"),
        "no key": ("There is no key", "codeship.aes"),
    }
    for word in words[wrong]:
        assert word in done.log, done.log
    assert SECRET not in done.log


def test_images_reach_a_registry_with_a_login_and_the_tags_of_templates(shop: Project, shelf: Shelf) -> None:
    shop.copied("5-push").write({"logins/login.json": shelf.login()})
    shop.encrypted("login.json.encrypted", shelf.login())
    assert shelf.tags("acme/shop") == []
    left_out = shop.green()
    assert "--push was not given" in left_out.log
    assert shelf.tags("acme/shop") == []
    done = shop.green("--push")
    assert shelf.tags("acme/shop") == ["latest", "master-01234567"]
    digest, _ = shelf.manifest("acme/shop", "latest")
    assert f"pushed {shelf.host}/acme/shop:latest as {digest}" in done.said("latest")
    config = shelf.config("acme/shop", "master-01234567")["config"]
    assert isinstance(config, dict)
    assert config["Labels"]["acme.shop"] == "open"
    released = shop.green("--push", "--tag", "v1.2", "--ci-branch", "v1.2", "--only", "release")
    assert "v1.2" in shelf.tags("acme/shop")
    assert "made a login" not in released.said("release")
    for log in (done.log, released.log):
        assert shelf.password not in log


def test_a_registry_that_refuses_says_so_in_its_own_words(shop: Project, shelf: Shelf) -> None:
    shop.copied("5-push", broken=True).write({"logins/login.json": "{}"})
    shop.encrypted("login.json.encrypted", shelf.login("canary-wrong-password"))
    done = shop.steps("--push", "--only", "publish")
    assert done.code == 1
    assert f"{shelf.host}/acme/shop:master-01234567 was not pushed: " in done.log
    assert "unauthorized: authentication required" in done.log
    assert "canary" not in done.log
    closed = shop.steps("--push", "--tag", "v2", "--only", "release")
    assert closed.code == 1
    assert "logins made no registry login: exit code 5: the cloud's login service is closed" in closed.log


def test_stages_hand_files_on_from_step_to_step_to_the_deploy(project: Project, open_shelf: Shelf) -> None:
    site = Project(project.folder, project.base, open_shelf.host).copied("6-multi-stage")
    done = site.green("--push", "--tag", "master")
    assert done.said("pages") == ["page one", "page two"]
    assert done.said("scratch") == ["0"], "a volume without a host's folder lives for one step"
    assert site.read("out/deployed") == f"production: {COMMIT} with 2 pages\n"
    assert site.read("out/index.html") == "page one\npage two\n"
    assert COMMIT in open_shelf.tags("acme/site")
    config = open_shelf.config("acme/site", COMMIT)["config"]
    assert isinstance(config, dict)
    assert config["WorkingDir"] == "/www"
    again = site.green("--only", "compile")
    assert "Using cache" in "".join(again.said("compiler")), "what steps wrote is none of the compiler's context"


def test_a_deploy_that_fails_fails_the_run_with_its_exit_code(project: Project, open_shelf: Shelf) -> None:
    site = Project(project.folder, project.base, open_shelf.host).copied("6-multi-stage", broken=True)
    done = site.steps("--tag", "master")
    assert done.code == 1
    assert done.said("deploy")[-1] == "nothing was compiled"
    assert re.search(r"deploy +failed .* exit code 9$", done.log, re.MULTILINE)
    assert not (site.folder / "out/deployed").exists()


def test_the_library_runs_a_pipeline_as_the_program_does(project: Project, tmp_path: Path) -> None:
    pipeline = Pipeline(project.copied("1-single-service").folder)
    files = pipeline.project()
    result = pipeline.run(pipeline.plan(files), files)
    assert [(task.name, task.state, task.exit_code) for task in result.tasks] == [
        ("tests", "passed", 0), ("greeting", "passed", 0),
    ]  # fmt: skip
