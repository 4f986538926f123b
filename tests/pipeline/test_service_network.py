# SPDX-License-Identifier: MIT
"""Services beside a step: under which names they are found, by whom, and when the step begins."""

from __future__ import annotations

import re

from kit_pipeline.api import Pipeline
from tests.pipeline.project import Project

BASE = "debian:trixie-slim"
SLEEPER = f"{{image: '{BASE}', command: sleep 60}}"


def test_services_are_found_by_name_and_by_every_alias_whatever_they_are_called(project: Project) -> None:
    project.pipeline(
        f"""
        app:
          image: {BASE}
          links: ["db:data.base", "db:data", db]
          depends_on: [brokerDb, go1.10rc, under_score]
        db: {{image: '{BASE}', command: sleep 60, links: ["deep:bottom"]}}
        deep: {SLEEPER}
        brokerDb: {SLEEPER}
        go1.10rc: {SLEEPER}
        under_score: {SLEEPER}
        test/php-7.2: {{image: '{BASE}', links: [mysql/base]}}
        mysql/base: {SLEEPER}
        """.replace("\n        ", "\n"),
        """
        - name: names
          service: app
          command:
            - sh
            - -c
            - |
              for name in app db data.base data deep bottom brokerDb go1.10rc under_score
              do getent hosts $name >/dev/null || echo no $name; done
              env | grep -cE '^(BROKERDB|DEEP|BOTTOM)_'
              env | grep DATA
        - {name: odd, service: test/php-7.2, command: sh -c "env | grep MYSQL"}
        """.replace("\n        ", "\n"),
    )
    done = project.green()
    count, *told = done.said("names")
    assert count == "0", "only its own links are told of"
    assert {line.partition("=")[0] for line in told} == {"DATA_BASE_NAME", "DATA_NAME"}
    assert done.said("odd") == ["MYSQL_BASE_NAME=/test/php-7.2/mysql/base"]


def test_steps_see_nothing_of_each_other(project: Project) -> None:
    look = "getent hosts own && echo found; ls /var/tmp; touch /var/tmp/left; hostname -i > /shared/$0; sleep 1"
    ask = "use IO::Socket::INET; my $s = IO::Socket::INET->new(PeerAddr => shift, Timeout => 2); print $s ? 1 : 0"
    project.pipeline(
        f"""
        app: {{image: '{BASE}', volumes: ["./shared:/shared"], links: [db]}}
        db:
          image: {BASE}
          volumes: ["./shared:/shared"]
          command: |
            perl -MIO::Socket::INET -e '
              my $s = IO::Socket::INET->new(LocalPort => 7000, Listen => 5); print "listens\\n"; $s->accept while 1'
        other: {{image: '{BASE}', volumes: ["./shared:/shared"]}}
        """.replace("\n        ", "\n"),
        f"""
        - {{name: first, service: app, command: ["sh", "-c", "{look}", first]}}
        - {{name: second, service: app, command: ["sh", "-c", "{look}", second]}}
        - type: parallel
          steps:
            - name: with
              service: app
              command:
                - sh
                - -c
                - |
                  getent ahostsv4 db | head -1 | cut -d' ' -f1 > /shared/ip
                  until [ -e /shared/asked ]; do sleep 0.1; done
            - name: without
              service: other
              command:
                - sh
                - -c
                - |
                  until [ -s /shared/ip ]; do sleep 0.1; done
                  getent hosts db || echo no db
                  perl -e "$0" $(cat /shared/ip):7000
                  touch /shared/asked
                - '{ask}'
        """.replace("\n        ", "\n"),
    )
    done = project.green()
    assert done.said("first") == []
    assert done.said("second") == [], "its containers are new"
    assert done.said("without") == ["no db", "0"], "neither by name nor by address"


def test_a_health_check_is_awaited_and_one_that_ends_or_takes_too_long_is_told(project: Project) -> None:
    check = "HEALTHCHECK --interval=1s --retries=30 CMD"
    project.write(
        {
            "Good": f"FROM {BASE}\n{check} test -e /tmp/ready || {{ echo not yet; exit 1; }}\n",
            "Slow": f"FROM {BASE}\n{check} echo still starting; exit 1\n",
        }
    )
    project.pipeline(
        """
        good: {build: {dockerfile: Good}, command: sh -c "sleep 2; touch /tmp/ready; sleep 60"}
        ends: {build: {dockerfile: Slow}, command: sh -c "echo cannot begin; exit 6"}
        slow: {build: {dockerfile: Slow}, command: sleep 60}
        waits: {image: BASE, links: [good]}
        ended: {image: BASE, links: [ends]}
        limit: {image: BASE, links: [slow]}
        """.replace("\n        ", "\n").replace("BASE", f"'{BASE}'"),
        """
        - type: parallel
          steps:
            - {name: waiting, service: waits, command: echo begun}
            - {name: in vain, service: ended, command: echo begun}
            - {name: too long, service: limit, command: echo begun}
        """.replace("\n        ", "\n"),
    )
    done = project.steps("--health-timeout", "3")
    assert done.code == 1
    assert done.said("waiting") == ["begun"]
    assert "waiting until good is healthy" in done.log
    assert "ends ended before it was healthy: exit code 6" in done.log
    assert re.search(r"ends.* \| cannot begin$", done.log, re.MULTILINE), "what it said last is not lost"
    assert "slow is still not healthy after 3 s: still starting" in done.log
    assert done.said("in vain") == done.said("too long") == []
    alone = project.steps("--health-timeout", "1", "--only", "too long")
    assert alone.code == 70, "as any limit of time"


def test_a_service_that_has_ended_is_named_where_its_step_fails(project: Project) -> None:
    project.pipeline(
        f"""
        app: {{image: '{BASE}', links: [db]}}
        db: {{image: '{BASE}', command: sh -c "echo no disk; exit 3"}}
        """.replace("\n        ", "\n"),
        "- {name: asks, service: app, command: sh -c 'sleep 1; exit 4'}",
    )
    done = project.steps()
    assert done.code == 1
    assert done.said("db") == ["no disk"]
    assert "db had ended with exit code 3" in done.said("asks")


def test_forty_steps_side_by_side_find_a_network_each(project: Project) -> None:
    steps = "".join(f"    - {{name: s{number}, service: app, command: echo {number}}}\n" for number in range(40))
    project.pipeline(f"app: {{image: '{BASE}'}}", f"- type: parallel\n  steps:\n{steps}")
    pipeline = Pipeline(project.folder)
    files = pipeline.project()
    result = pipeline.run(pipeline.plan(files), files)
    assert [task.state for task in result.tasks] == ["passed"] * 40, [task.error for task in result.failed]
