# SPDX-License-Identifier: MIT
"""Repositories with the two files, made for measuring."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.measure import python_env

PROGRAM = [sys.executable, "-m", "kit_pipeline"]


def short_steps(folder: Path, image: str, command: str, steps: int) -> Path:
    """A pipeline of steps that do nothing to speak of, one after the other."""
    folder.mkdir()
    (folder / "codeship-services.yml").write_text(f"app:\n  image: {image}\n")
    (folder / "codeship-steps.yml").write_text(
        "".join(f"- name: step {number}\n  service: app\n  command: {command}\n" for number in range(1, steps + 1))
    )
    return folder


def many_steps(folder: Path, steps: int) -> Path:
    """A pipeline as large ones are: services with builds, variables and links; groups with tags, templates, pushes."""
    folder.mkdir()
    services = [
        "database:\n  image: postgres:16\n",
        *(
            f"app-{number}:\n  build:\n    context: ./app-{number}\n    dockerfile: Dockerfile\n"
            f"    args:\n      VERSION: '{{{{.Branch}}}}-{{{{printf \"%.8s\" .CommitID}}}}'\n"
            f"  environment:\n    - PORT={8000 + number}\n    - MODE=test\n  links:\n    - database:db\n"
            f"  volumes:\n    - ./app-{number}:/app\n    - ./out:/out\n  cached: true\n"
            for number in range(steps // 10)
        ),
    ]
    group = (
        "- name: app {n}\n  type: serial\n  tag: ^(master|release-[0-9]+)$\n  steps:\n"
        "    - name: build {n}\n      service: app-{n}\n      command: make build\n"
        "    - type: parallel\n      steps:\n"
        + "".join(
            f"        - name: test {{n}} {part}\n          service: app-{{n}}\n"
            f"          command: make test PART={part} LEVEL='all of them'\n"
            for part in range(5)
        )
        + "    - name: push {n}\n      type: push\n      service: app-{n}\n"
        "      image_name: registry.example.com/shop/app-{n}\n"
        "      image_tag: '{{{{.Branch}}}}-{{{{.CommitID}}}}'\n      registry: https://registry.example.com\n"
    )  # nine entries with a `type` or a `service`, and the group itself: ten
    (folder / "codeship-services.yml").write_text("".join(services))
    (folder / "codeship-steps.yml").write_text(
        "".join(group.format(n=number) + _LAST.format(n=number) for number in range(steps // 10))
    )
    return folder


_LAST = "- name: lint {n}\n  service: app-{n}\n  exclude: ^docs-\n  command: make lint\n"


def environment(cache: Path) -> dict[str, str]:
    """What the program is started with; `cache` is where Python keeps compiled modules."""
    return python_env(str(cache))
