# SPDX-License-Identifier: MIT
"""What images are built of: which folder, which file, which arguments, and when."""

from __future__ import annotations

import os

from testbed.docker import docker
from tests.pipeline.project import Project

BASE = "debian:trixie-slim"


def test_a_build_gets_its_folder_as_docker_would_send_it(project: Project) -> None:
    project.write(
        {
            "site/.dockerignore": "# nothing of these\n*.log\nout/*\n!out/kept\n**/cache\nDockerfile\n",
            "site/Dockerfile": f"FROM {BASE}\nCOPY . /site\nCMD cd /site && find . | sort && cat link && ./run.sh\n",
            "site/run.sh": "#!/bin/sh\necho it runs\n",
            "site/a.log": "", "site/out/left": "", "site/out/kept": "", "site/deep/cache/x": "", "site/deep/é ü": "",
        }
    )  # fmt: skip
    (project.folder / "site/run.sh").chmod(0o755)
    (project.folder / "site/link").symlink_to("out/kept")
    (project.folder / "site/dangling").symlink_to("nowhere")
    (project.folder / "site/empty").mkdir()
    os.mkfifo(project.folder / "site/cache")
    project.pipeline("app: {build: ./site/}", "- {name: shown, service: app}")
    done = project.green()
    assert done.said("shown") == [
        ".", "./.dockerignore", "./dangling", "./deep", "./deep/é ü", "./empty", "./link", "./out",
        "./out/kept", "./run.sh", "it runs",
    ]  # fmt: skip


def test_names_of_images_collide_with_nothing(project: Project) -> None:
    before = docker("image", "inspect", "--format", "{{.Id}}", project.base).stdout
    names = {"one": project.base, "two": "Acme/UPPER:1.0", "a_b": "one", "a-b": "one"}
    services = "".join(
        f"{service}: {{build: {{image: '{image}', dockerfile: Dockerfile, args: [WHO={service}]}}}}\n"
        for service, image in names.items()
    )
    steps = "".join(f"- {{name: step {service}, service: {service}, command: cat /who}}\n" for service in names)
    project.write({"Dockerfile": f"FROM {BASE}\nARG WHO\nRUN echo $WHO > /who\n"}).pipeline(services, steps)
    done = project.green()
    for service in names:
        assert done.said(f"step {service}") == [service]
    assert len(project.images()) == 4
    assert docker("image", "inspect", "--format", "{{.Id}}", project.base).stdout == before
    assert docker("image", "inspect", "one", check=False).returncode != 0


def test_arguments_are_templates_and_the_encrypted_ones_win(project: Project) -> None:
    project.encrypted("args.enc", "C=from args file\n")
    project.encrypted("value.enc", "B=encrypted arg\nC=encrypted arg\n")
    value = project.read("value.enc").strip().splitlines()
    project.write(
        {
            "Dockerfile": f"FROM {BASE}\n"
            + "".join(f"ARG {name}\n" for name in "ABCDE")
            + 'RUN printf "%s\\n" "$A" "$B" "$C" "$D" "$E" | sha256sum > /sum && echo "$A $D $E" > /plain\n'
        }
    )
    encrypted = '"' + "\\n".join(value) + '"'
    project.pipeline(
        f"""
        app:
          build:
            args:
              - A={{{{.Branch}}}} {{{{printf "%.8s" .CommitID}}}} {{{{.CI}}}} {{{{.ServiceName}}}}
              - B=plain
              - C=plain
              - D
              - E=01
            encrypted_args: {encrypted}
            encrypted_args_file: args.enc
        """.replace("\n        ", "\n"),
        """
        - {name: plain, service: app, command: cat /plain}
        - {name: whole, service: app, command: cat /sum}
        """.replace("\n        ", "\n"),
    )
    done = project.green(D="the machine's")
    assert done.said("plain") == ["master 01234567 true app the machine's 01"]
    import hashlib

    words = ["master 01234567 true app", "encrypted arg", "from args file", "the machine's", "01"]
    expected = hashlib.sha256("".join(f"{word}\n" for word in words).encode()).hexdigest()
    assert done.said("whole") == [f"{expected}  -"]


def test_nothing_is_built_before_it_is_needed(project: Project) -> None:
    project.pipeline(
        f"""
        template: &template
          build: {{context: ./nowhere}}
        never:
          <<: *template
        maker: {{image: '{BASE}', volumes: ["./made:/made"]}}
        made: {{build: ./made}}
        outside: {{build: {{context: ./made, dockerfile: ../Outside}}}}
        """.replace("\n        ", "\n"),
        f"""
        - {{name: make, service: maker, command: sh -c "echo FROM $0 > /made/Dockerfile" {BASE}}}
        - {{name: use, service: made, command: echo made}}
        - {{name: shows, service: outside, command: cat /file}}
        """.replace("\n        ", "\n"),
    )
    project.write({"Outside": f"FROM {BASE}\nCOPY Dockerfile /file\n"})
    done = project.green()
    assert done.said("use") == ["made"]
    assert done.said("shows") == [f"FROM {project.base}"]
    assert len(project.images()) == 2


def test_what_cannot_be_built_says_where_and_why(project: Project) -> None:
    project.write(
        {
            "a-file": "",
            "Bad": f"FROM {BASE}\n\nRUNN true\n",
            "Gone": f"FROM {BASE}\nLABEL a=b \\\n  c=d\nCOPY not-there /x\n",
            "Base": "FROM localhost:1/no/base:1\n",
        }
    )
    services = {
        "file": "./a-file", "folder": "./no-folder", "none": ".", "bad": "{dockerfile: Bad}",
        "gone": "{dockerfile: Gone}",
        "base": "{dockerfile: Base}",
    }  # fmt: skip
    steps = "".join(f"    - {{name: step {name}, service: {name}, command: 'true'}}\n" for name in services)
    project.pipeline(
        "".join(f"{name}: {{build: {build}}}\n" for name, build in services.items()),
        f"- type: parallel\n  steps:\n{steps}",
    )
    words = {
        "file": "/a-file: ", "folder": "/no-folder: ", "none": "There is no Dockerfile in the build's context of none",
        "bad": "dockerfile parse error line 3: unknown instruction: RUNN",
        "gone": "/Gone:4: ", "base": "connection refused",
    }  # fmt: skip
    done = project.steps()
    assert done.code in {1, 2}
    for name, text in words.items():
        assert text in done.log, (name, done.log)
