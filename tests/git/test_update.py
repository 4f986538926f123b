# SPDX-License-Identifier: MIT
"""One update, alone: what is committed, what is left as it was, what is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kit_image_deployer import update_image
from testbed.bed import Testbed
from testbed.git import GitRepository
from tests.git.deployments import FILE, FILES, KIT, NEW, OLD, Deployments
from tests.git.relay import Exchange, Relay


def test_one_value_changes_and_nothing_else(deployments: Deployments) -> None:
    before = deployments.commits()
    run = deployments.run(
        CI_COMMITTER_NAME="Ada",
        CI_COMMITTER_EMAIL="ada@example.com",
        CI_COMMIT_MESSAGE="Bigger baskets [skip ci]",
        CI_COMMIT_ID="abc123",
    )
    after = deployments.commits()
    git = deployments.repository.git
    assert run.code == 0
    assert run.last == (f"result=updated image={NEW} file={FILE} branch=master commit={after[0]} previous={OLD}")
    assert after[1:] == before
    assert git("diff-tree", "-r", "--name-status", before[0], after[0]) == f"M\t{FILE}"
    assert deployments.repository.read(FILE) == f"# the cart\nimage: {NEW}  # written by its pipeline\n"
    assert git("log", "-1", "--format=%an <%ae>") == "Ada <ada@example.com>"
    assert git("log", "-1", "--format=%cn <%ce>|%s") == "Ada <ada@example.com>|Bigger baskets (skip ci)"
    trailers = git("log", "-1", "--format=%(trailers:only)").strip()
    assert trailers == f"Kit-Image: {NEW}\nKit-Previous-Image: {OLD}\nKit-Source-Commit: abc123"
    deployments.check_history()


def test_the_same_value_again_is_no_commit(deployments: Deployments) -> None:
    deployments.run()
    once = deployments.commits()
    again = deployments.run()
    assert again.code == 0
    assert again.last == f"result=unchanged image={NEW} file={FILE} branch=master"
    assert deployments.commits() == once


def test_a_dry_run_shows_diff_and_message_and_pushes_nothing(deployments: Deployments) -> None:
    before = deployments.commits()
    run = deployments.run(COMMIT="false", CI_COMMIT_MESSAGE="Bigger baskets")
    assert run.code == 0
    for line in (f"--- a/{FILE}", f"+++ b/{FILE}", f"-image: {OLD}  #", f"+image: {NEW}  #", "Bigger baskets",
                 f"Kit-Image: {NEW}", "set COMMIT=true"):  # fmt: skip
        assert line in run.log
    assert run.last.startswith("result=dry-run ")
    assert deployments.commits() == before


def test_a_missing_file_is_made_with_its_folders(deployments: Deployments) -> None:
    run = deployments.run(CI_BRANCH="feature/basket")
    assert run.code == 0
    assert deployments.repository.read("images/shop/cart/feature/basket.yaml") == f"image: {NEW}\n"
    assert deployments.repository.read(FILE) == FILES[FILE]
    deployments.check_history()


def test_another_branch_of_the_repository(deployments: Deployments) -> None:
    git = deployments.repository.git
    git("branch", "staging")
    before = deployments.commits()
    assert deployments.run(KIT_GIT_BRANCH="refs/heads/staging").code == 0
    assert deployments.commits() == before
    assert NEW in deployments.repository.read(FILE, "staging")


def test_a_files_mode_stays(deployments: Deployments) -> None:
    git = deployments.repository.git
    blob = git("rev-parse", f"master:{FILE}")
    deployments.repository.container.execute(
        "sh", "-c",
        f"cd {deployments.repository.path} && export GIT_INDEX_FILE=/tmp/mode.index && git read-tree master"
        f" && git update-index --cacheinfo 100755,{blob},{FILE}"
        " && git update-ref refs/heads/master $(git -c user.name=a -c user.email=a@b commit-tree"
        " -p master -m mode $(git write-tree))",
    )  # fmt: skip
    assert deployments.run().code == 0
    assert git("ls-tree", "master", FILE).startswith("100755 ")


@pytest.mark.parametrize("how", ["no filters", "tree filters refused", "no protocol version 2", "neither"])
def test_servers_that_can_do_less(deployments: Deployments, how: str) -> None:
    if how == "tree filters refused":
        deployments.repository.git("config", "uploadpackfilter.allow", "false")
    elif how != "no protocol version 2":
        deployments.repository.git("config", "uploadpack.allowFilter", "false")
        deployments.repository.git("config", "uploadpack.allowAnySHA1InWant", "false")
    without = frozenset({"git-protocol"}) if how.startswith("n") and how != "no filters" else frozenset()
    before = deployments.commits()
    moved = []

    def race_once(exchange: Exchange) -> bool:
        if exchange.service == "git-receive-pack" and exchange.method == "POST" and exchange.number == 1:
            moved.append(deployments.repository.commit({"other.txt": "by someone else\n"}))
        return False

    with Relay(deployments.repository.url_outside, meddle=race_once, without=without) as relay:
        run = deployments.run(KIT_GIT_URL=relay.url)
        assert run.code == 0, run.log
        assert deployments.commits()[1:] == [*moved, *before]
        assert deployments.run(KIT_GIT_URL=relay.url).last.startswith("result=unchanged")
    deployments.check_history()


def test_what_is_fetched_does_not_grow_with_the_repository(
    git_repository: Callable[..., GitRepository],
) -> None:
    received = []
    for count in (10, 3000):
        extra = {f"clusters/c{number % 50}/file{number}.yaml": f"number: {number}\n" * 20 for number in range(count)}
        small = Deployments(git_repository("traffic", files={**FILES, **extra}))
        with Relay(small.repository.url_outside) as relay:
            assert small.run(KIT_GIT_URL=relay.url).code == 0
            received.append(relay.received)
    assert received[1] - received[0] < 2_000
    assert received[1] < 10_000


def test_https_with_an_authority_of_ones_own(deployments: Deployments, bed: Testbed, tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text(bed.git.certificate_authority)
    url = deployments.repository.https_outside
    refused = deployments.run(KIT_GIT_URL=url)
    assert refused.code == 1
    assert "certificate cannot be trusted" in refused.log
    assert "KIT_CA_CERT" in refused.log
    assert deployments.run(KIT_GIT_URL=url, KIT_CA_CERT=str(authority)).code == 0
    assert NEW in deployments.repository.read(FILE)


def test_the_github_settings_are_a_short_way_to_write_the_address(deployments: Deployments) -> None:
    repository = deployments.repository
    server, _, name = repository.url_outside.rpartition("/")
    deployments.repository.container.execute("mkdir", "-p", "/srv/git/acme")
    deployments.repository.container.execute("ln", "-sfn", repository.path, f"/srv/git/acme/{name}")
    run = deployments.run(
        KIT_GIT_URL="",
        KIT_GIT_USERNAME=repository.username,
        KIT_GIT_PASSWORD="",
        KIT_GITHUB_URL=server,
        GITHUB_USER="acme",
        GITHUB_REPO=name.removesuffix(".git"),
        GITHUB_AUTH_TOKEN=repository.password,
    )
    assert run.code == 0, run.log
    assert NEW in repository.read(FILE)


def test_as_a_library(deployments: Deployments) -> None:
    repository = deployments.repository
    outcome = update_image(
        repository.url_outside,
        username=repository.username,
        password=repository.password,
        repository="shop/web",
        branch="master",
        image="registry.example.com/shop/web:2",
        message="From a program",
        commit=True,
    )
    assert (outcome.result, outcome.commit) == ("updated", deployments.commits()[0])
    assert outcome.previous == "registry.example.com/shop/web:master-1"


def test_a_redirect_is_followed_without_the_credentials(deployments: Deployments) -> None:
    seen: list[str | None] = []

    def spy(exchange: Exchange) -> bool:
        seen.append(exchange.handler.headers.get("Authorization"))
        return False

    with Relay(deployments.repository.url_outside, meddle=spy) as other:

        def redirect(exchange: Exchange) -> bool:
            exchange.answer(302, Location=other.url + exchange.handler.path[exchange.handler.path.index("/info") :])
            return True

        with Relay(deployments.repository.url_outside, meddle=redirect) as relay:
            run = deployments.run(KIT_GIT_URL=relay.url)
    assert run.code == 1  # the other server asks for credentials that it must not get
    assert f"the password is not given: it redirects to {other.url.rpartition('/')[0]}" in run.log
    assert seen == [None]


def test_http_that_leads_to_https_trusts_the_same_authority(
    deployments: Deployments, bed: Testbed, tmp_path: Path
) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text(bed.git.certificate_authority)
    target = deployments.repository.https_outside

    def redirect(exchange: Exchange) -> bool:
        exchange.answer(301, Location=target + exchange.handler.path[exchange.handler.path.index("/info") :])
        return True

    with Relay(deployments.repository.url_outside, meddle=redirect) as relay:
        refused = deployments.run(KIT_GIT_URL=relay.url)
        trusted = deployments.run(KIT_GIT_URL=relay.url, KIT_CA_CERT=str(authority))
    assert "certificate cannot be trusted" in refused.log
    # It got there, and asks for the password that only the address in the settings is given.
    assert f"it redirects to {target.rpartition('/')[0]}" in trusted.log


def test_connections_are_used_again(deployments: Deployments) -> None:
    clients = set()

    def note(exchange: Exchange) -> bool:
        clients.add(exchange.handler.client_address)
        return False

    with Relay(deployments.repository.url_outside, meddle=note) as relay:
        assert deployments.run(KIT_GIT_URL=relay.url).code == 0
        assert len(relay.requests) > 5
    assert len(clients) <= 2


def test_kit_yaml_decides_folder_and_property(git_repository: Callable[..., GitRepository]) -> None:
    files = {"kit.yaml": KIT.replace("./images", "/tags/all").replace("property: image", "property: tag")}
    own = Deployments(git_repository("own", files=files))
    assert own.run().code == 0
    assert own.repository.read("tags/all/shop/cart/master.yaml") == f"tag: {NEW}\n"
