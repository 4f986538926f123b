# SPDX-License-Identifier: MIT
"""Links, names and folders that lead elsewhere: followed to nobody's files."""

from pathlib import Path

import pytest

from tests.unit.deploymentizer.hostile import ALL, put, survives
from tests.unit.deploymentizer.workshop import Workshop


@pytest.mark.parametrize("where", ["outside", "itself", "loop", "folder above", "device", "missing"])
@pytest.mark.parametrize(
    "name",
    [*sorted(ALL), "clusters/east", "clusters/north", "resources/app", "resources", "type", "images", "clusters"],
)
def test_links_that_lead_anywhere(whole: Workshop, name: str, where: str) -> None:
    put(whole, name, b"") if name in ALL else None
    path = whole.folder / name
    if path.is_dir():
        path.rename(whole.folder.parent / "moved")
    else:
        path.unlink(missing_ok=True)
    other = whole.folder / "other-link"
    around = whole.folder.parent
    target = {"outside": around / "beside/secret.yaml", "itself": path, "loop": other,
              "folder above": around, "device": Path("/dev/null"), "missing": Path("nowhere")}[where]  # fmt: skip
    path.symlink_to(target)
    if where == "loop":
        other.symlink_to(path)
    survives(whole, 0, 1, 2)


@pytest.mark.parametrize(
    "name", ["..", "../beside", "../../beside/x", "a/../../b", "/tmp/x", ".kit", ".", "a\\..\\b", "..\\x"]
)
@pytest.mark.parametrize(
    "what", ["cluster", "service", "file", "copied", "image_tag", "branch", "container", "resource"]
)
def test_names_that_lead_elsewhere(whole: Workshop, name: str, what: str) -> None:
    quoted = "'" + name + "'"
    resource = {
        "service": f"app: {{svc: {{name: {quoted}}}}}",
        "file": f"app: {{file: '{name}/app.mustache'}}",
        "copied": f"app: {{file: '{name}/secret.yaml'}}",
        "image_tag": f"app: {{file: app/app.mustache, image_tag: {quoted}}}",
        "branch": f"app: {{file: app/app.mustache, image_tag: shop, branch: {quoted}}}",
        "container": f"app: {{file: app/app.mustache, containers: {{{quoted}: {{image_tag: shop}}}}}}",
        "resource": f"{quoted}: {{file: app/app.mustache, svc: {{name: a}}}}",
    }.get(what, "app: {file: app/app.mustache}")
    whole.resources(resource)
    whole.cluster("east", metadata="type: test" + (f", name: {quoted}" if what == "cluster" else ""))
    survives(whole, *((2,) if what in {"service", "image_tag", "branch"} else (0, 1, 2)))


@pytest.mark.parametrize("part", ["output", "clusters", "resources", "images", "type"])
@pytest.mark.parametrize("link", ["generated", "generated/east", "generated/.kit", "generated/east/app.yaml"])
def test_an_output_that_leads_elsewhere_is_written_to_no_source(whole: Workshop, part: str, link: str) -> None:
    target = whole.folder / part if part != "output" else whole.folder.parent / "beside"
    path = whole.folder / link
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    if part == "output" and link == "generated":
        return  # the output as a whole may be a link to anywhere
    survives(whole, 0, 1, 2)
