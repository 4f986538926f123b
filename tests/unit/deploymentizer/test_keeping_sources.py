# SPDX-License-Identifier: MIT
"""What a run neither writes to nor removes, whatever kit.yaml, links and an odd index say."""

import pytest

from tests.unit.deploymentizer.workshop import CONFIG_MAP, Workshop


@pytest.mark.parametrize(
    ("output", "moved"),
    [
        ("./out", {"base-cluster.yaml": "out/east/base-cluster.yaml", "base-var.yaml": "out/east/base-var.yaml"}),
        ("./out", {"kit.yaml": "out/east/kit.yaml"}),
        ("./out", {"plugin": "out/east/app/east-env.json"}),
        ("./clusters", {}),
    ],
)
def test_no_cluster_is_written_where_the_repository_is_read_from(
    workshop: Workshop, output: str, moved: dict[str, str]
) -> None:
    workshop.app(CONFIG_MAP)
    kit = (workshop.folder / "kit.yaml").read_text().replace("./generated", output)
    base = "./out/east" if "base-var.yaml" in moved else "."
    plugin = "plugin: {path: x/file-config, options: {configPath: ./out/east}}\n" if "plugin" in moved else ""
    workshop.write({"kit.yaml": kit.replace("base: {path: .}", f"base: {{path: {base}}}") + plugin})
    for cluster in ("east", "west") if plugin else ():
        workshop.write({f"out/east/app/{cluster}-env.json": "{}"})
    for name in moved.keys() - {"plugin"}:
        workshop.write({moved[name]: (workshop.folder / name).read_text()})
        (workshop.folder / name).unlink()
    before = sorted(workshop.folder.rglob("*"))
    result = workshop.run(CONF=moved.get("kit.yaml", "kit.yaml"))
    assert result.code == 2, result.log
    assert "cluster east would be written into the sources" in result.log
    assert sorted(workshop.folder.rglob("*")) == before


@pytest.mark.parametrize("place", ["gone", "base"])
def test_sources_between_the_folders_of_clusters_stay(workshop: Workshop, place: str) -> None:
    workshop.app(CONFIG_MAP)
    for name in ("base-cluster.yaml", "base-var.yaml"):
        workshop.write({f"generated/{place}/{name}": (workshop.folder / name).read_text()})
        (workshop.folder / name).unlink()
    kit = (workshop.folder / "kit.yaml").read_text()
    workshop.write({"kit.yaml": kit.replace("base: {path: .}", f"base: {{path: ./generated/{place}}}")})
    workshop.write({"generated/.kit/gone.json": '{"version": 1, "files": {}, "secrets": {}}'})
    assert workshop.run().code == 0
    assert [name for name in workshop.output() if name.startswith(place)] == [
        f"{place}/base-cluster.yaml",
        f"{place}/base-var.yaml",
    ]


@pytest.mark.parametrize("link", ["generated", "generated/east", "generated/.kit"])
@pytest.mark.parametrize("target", ["clusters", "clusters/east", "mine"])
def test_links_of_the_output_lead_to_no_loss(workshop: Workshop, link: str, target: str) -> None:
    workshop.app(CONFIG_MAP)
    workshop.write({"mine/east.yaml": "mine", "mine/west/app.txt": "mine"})
    place = workshop.folder / link
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(workshop.folder / target)
    outside = sorted(path for path in workshop.folder.rglob("*") if "generated" not in path.parts)
    result = workshop.run()
    if (link, target) == ("generated", "mine"):  # the whole output may lie elsewhere
        assert result.code == 0
        assert (workshop.folder / "mine/east.yaml").read_text() == "mine"
        assert (workshop.folder / "mine/west/app.txt").is_file()
        return
    assert result.code == 2, result.log
    assert "sources" in result.log or "A folder of the output leads elsewhere" in result.log
    assert sorted(path for path in workshop.folder.rglob("*") if "generated" not in path.parts) == outside


def test_a_folder_that_no_kit_wrote_stays(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP)
    workshop.run()
    workshop.write({"generated/project/app.yaml": "mine", "generated/project/deep/package.json": "{}"})
    assert workshop.run().last.startswith("result=unchanged")
    assert {"project/app.yaml", "project/deep/package.json"} <= set(workshop.output())


@pytest.mark.parametrize(
    "index",
    [
        "[]",
        "{",
        '{"version": 1}',
        '{"version": 1, "files": [1], "secrets": {}}',
        '{"version": 1, "files": {"a.yaml": 1}, "secrets": {}}',
        '{"version": 1, "files": {}, "secrets": 3}',
        '{"version": 1, "files": {"../../base-var.yaml": {"resource": "app"}}, "secrets": {}}',
    ],
)
def test_an_index_that_is_not_ours_leads_nowhere(workshop: Workshop, index: str) -> None:
    workshop.app(CONFIG_MAP)
    workshop.run()
    (workshop.folder / "generated/.kit/east.json").write_text(index)
    assert workshop.run(RESOURCE="app").code == 0
    assert (workshop.folder / "base-var.yaml").is_file()
    assert workshop.run().code == 0
    assert workshop.index("east")["complete"] is True


def test_the_output_may_hold_no_sources(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP)
    kit = (workshop.folder / "kit.yaml").read_text()
    workshop.write({"kit.yaml": kit.replace("./generated", "./clusters")})
    result = workshop.run()
    assert result.code == 2
    assert "cluster east would be written into the sources" in result.log
    assert (workshop.folder / "clusters/east/cluster.yaml").is_file()
    assert not (workshop.folder / "clusters/.kit").exists()


def test_an_output_that_is_the_repository_keeps_its_other_folders(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP)
    kit = (workshop.folder / "kit.yaml").read_text()
    workshop.write({"kit.yaml": kit.replace("./generated", "."), "docs/example.yaml": "mine"})
    assert workshop.run().code == 0
    assert (workshop.folder / "docs/example.yaml").is_file()
    assert (workshop.folder / "resources/base-svc.mustache").is_file()
    assert (workshop.folder / "east/app.yaml").is_file()
