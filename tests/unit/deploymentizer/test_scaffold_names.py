# SPDX-License-Identifier: MIT
"""The names, types and images that `new` takes."""

import pytest
import yaml

from tests.unit.deploymentizer.place import Place, good, refused


@pytest.mark.parametrize(
    "name", ["Web", "web_1", "-web", "web-", "a" * 64, "wéb", "../web", "a/b", "web\n", " web", "ｗｅｂ", "a.b", "\0"]
)
@pytest.mark.parametrize("what", ["service", "cluster"])
def test_names_that_no_object_can_have(place: Place, what: str, name: str) -> None:
    place.run("init")
    refused(place, f"cannot be the name of a {what}", "new", what, "--", name)


def test_a_service_begins_with_a_letter_and_a_cluster_need_not(place: Place) -> None:
    good(place.run("init"))
    refused(place, "it begins with a letter", "new", "service", "1web")
    good(place.run("new", "cluster", "1e3"))
    good(place.run("new", "cluster", "0644"))
    assert {name.split("/")[0] for name in good(place.run("--validate", "error")).files} == {"1e3", "0644", "staging"}


def test_names_that_are_taken(place: Place) -> None:
    good(place.run("init"))
    refused(place, "there is already a resource hello", "new", "service", "hello")
    refused(place, "there is already a cluster staging", "new", "cluster", "staging")
    place.write({"clusters/other/cluster.yaml": "kind: ClusterNamespace\nmetadata: {name: east, type: staging}\n"})
    refused(place, "there is already a cluster east", "new", "cluster", "east")
    refused(place, "clusters/other/cluster.yaml", "new", "cluster", "other")
    place.write({"clusters/other/cluster.yaml": "kind: ClusterNamespace\nmetadata: {name: east, type: staging}\n"
                                                "resources: {own: {file: hello/shop.yaml.j2}}\n"})  # fmt: skip
    refused(place, "there is already a resource own", "new", "service", "own")
    refused(place, "resource own writes shop.yaml already", "new", "service", "shop")
    place.write({"resources/web/web-deployment.yaml.j2": "mine"})
    refused(place, "resources/web/web-deployment.yaml.j2", "new", "service", "web")


def test_types_and_what_is_nearly_one(place: Place) -> None:
    good(place.run("init"))
    refused(place, "there is no type stagin. Is staging meant?", "new", "cluster", "east", "--type", "stagin")
    refused(place, "'Big Ones' cannot be the name of a type", "new", "cluster", "east", "--type", "Big Ones")
    good(place.run("new", "cluster", "east", "--type", "production"))
    refused(place, "cluster west needs a type: there are production, staging", "new", "cluster", "west")


@pytest.mark.parametrize("image", ["web", "registry.example.com/web", "Web:1", "a b:1", "web:", "../x:1", "a//b:1"])
def test_what_is_no_image_with_a_tag(place: Place, image: str) -> None:
    place.run("init")
    refused(place, "is no image with a tag", "new", "service", "web", "--image", image)


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        ("web:1", "web"),
        ("shop/web:1.0-rc_1", "shop/web"),
        ("localhost/web:1", "web"),
        ("localhost:5000/shop/web:1", "shop/web"),
        ("registry:5000/shop/web:1", "shop/web"),
        ("r.example.com/a/b/c@sha256:" + "0" * 64, "a/b/c"),
        ("r.example.com/web:1@sha256:" + "0" * 64, "web"),
    ],
)
def test_an_images_path_becomes_the_image_tag(place: Place, image: str, tag: str) -> None:
    place.run("init")
    good(place.run("new", "service", "web", "--image", image))
    assert yaml.safe_load((place.folder / f"images/{tag}/main.yaml").read_text()) == {"image": image}
    assert f"image: {image}\n" in good(place.run()).files["staging/web-deployment.yaml"]


def test_neither_word_nor_thing_is_guessed(place: Place) -> None:
    place.run("init")
    refused(place, "new makes no servce", "new", "servce", "web")
    assert place.run("new", "service").code == 2
