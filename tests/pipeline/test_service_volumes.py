# SPDX-License-Identifier: MIT
"""How long files live: those of the repository, a step's, a run's; and the engine in a container's hands."""

from __future__ import annotations

import json

from tests.pipeline.project import Project

BASE = "debian:trixie-slim"


def test_volumes_live_as_long_as_they_should(project: Project) -> None:
    project.write({"conf/app.ini": "from the repository\n", "single.txt": "one file\n"})
    project.write({"Data": f"FROM {BASE}\nRUN mkdir /seed && echo from the image > /seed/file\nVOLUME /seed\n"})
    project.pipeline(
        f"""
        writer: &app
          image: {BASE}
          volumes: ["./new/deep:/kept", "conf/:/conf:ro", "./single.txt:/single.txt", "bare:/bare", /once]
          volumes_from: [data, "more:ro"]
        reader: *app
        data: {{build: {{dockerfile: Data}}, volumes: [/run-long], volumes_from: [more]}}
        more: {{image: '{BASE}', volumes: [/more]}}
        """.replace("\n        ", "\n"),
        """
        - name: write
          service: writer
          command:
            - sh
            - -c
            - |
              for place in kept bare once run-long seed; do echo $place > /$place/left; done
              touch /conf/x /more/x
              echo changed > /single.txt
        - name: read
          service: reader
          command: sh -c "cat /kept/left /bare/left /run-long/left /seed/file /conf/app.ini; ls -A /once | wc -l"
        """.replace("\n        ", "\n"),
    )
    done = project.green()
    assert sum("Read-only file system" in line for line in done.said("write")) == 2
    assert done.said("read") == ["kept", "bare", "run-long", "from the image", "from the repository", "0"]
    assert project.read("new/deep/left") == "kept\n", "a folder that was not there is made"
    assert project.read("bare/left") == "bare\n"
    assert project.read("single.txt") == "changed\n"
    again = project.steps("--only", "read")
    assert "/run-long/left: No such file" in again.log, "what containers share ends with the run"


def test_a_service_may_use_the_engine(project: Project) -> None:
    ask = (
        "use IO::Socket::UNIX; my $s = IO::Socket::UNIX->new(Peer => q(/var/run/docker.sock)) or die qq(no engine\\n);"
        " print $s qq(GET /_ping HTTP/1.0\\r\\n\\r\\n); print <$s>"
    )
    project.pipeline(
        f"with: {{image: '{BASE}', add_docker: true}}\nwithout: {{image: '{BASE}'}}",
        f"- {{name: asks, service: with, command: {json.dumps(['perl', '-e', ask])}}}\n"
        f"- {{name: cannot, service: without, command: {json.dumps(['perl', '-e', ask])}}}\n",
    )
    done = project.steps()
    assert "OK" in done.said("asks")
    assert done.said("cannot") == ["no engine"]
    assert done.code == 1


def test_a_folder_that_cannot_be_made_is_told(project: Project) -> None:
    project.write({"taken": "a file"})
    project.pipeline(
        f"mounts: {{image: '{BASE}', volumes: ['./taken/below:/x']}}", "- {service: mounts, command: 'true'}"
    )
    done = project.steps()
    assert done.code == 2
    assert "The volume ./taken/below of mounts cannot be made" in done.log


def test_volumes_that_need_each_other_are_told(project: Project) -> None:
    project.pipeline(
        f"""
        one: {{image: '{BASE}', volumes_from: [two]}}
        two: {{image: '{BASE}', volumes_from: ["one:ro"]}}
        """.replace("\n        ", "\n"),
        "- {service: one, command: 'true'}",
    )
    done = project.steps()
    assert done.code == 2
    assert "circle" in done.log
