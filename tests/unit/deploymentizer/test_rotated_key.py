# SPDX-License-Identifier: MIT
"""Another key makes another value of the same ciphertext: nothing that an earlier run made of it is kept."""

import pytest

from kit_core.envfile import decrypt_value, encrypt_value
from kit_core.keys import DecryptError, Key
from tests.unit.deploymentizer.workshop import CONFIG_MAP, Workshop

ONE = Key(bytes(range(32)))
LOCKED = encrypt_value("ab", ONE, form="jet 1")


def another() -> tuple[Key, str]:
    """A key that does not fit, and what comes out all the same: jet 1 notices nothing where that is text."""
    for number in range(10_000):
        key = Key(number.to_bytes(32, "big"))
        try:
            text = decrypt_value(LOCKED, key, name="x")
        except DecryptError:
            continue
        if text.isalpha() and text.isascii():
            return key, text
    raise AssertionError


@pytest.mark.parametrize("place", ["base-var.yaml", "clusters/east/configuration-var.yaml"])
@pytest.mark.parametrize("by_file", [True, False])
def test_a_value_of_jet_1_is_decrypted_with_the_key_of_this_run(workshop: Workshop, place: str, by_file: bool) -> None:
    workshop.app(CONFIG_MAP + "data: {a: '{{{word}}}'}\n")
    workshop.write({place: f"kind: ResourceConfig\nword: {LOCKED}\n"})
    key, text = another()
    for each, shown in ((ONE, "ab"), (ONE, "ab"), (key, text), (ONE, "ab")):
        if by_file:
            workshop.write({"codeship.aes": each.text})
        result = workshop.run(**({} if by_file else {"CODESHIP_AES_KEY": each.text}))
        assert result.code == 0, result.log
        assert f"a: '{shown}'" in result.files["east/app.yaml"]
    index = (workshop.folder / "generated/.kit/east.json").read_text()
    assert ONE.text not in index


def test_a_key_that_does_not_fit_fails_a_run_that_would_render_nothing(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP + "data: {a: '{{{word}}}'}\n")
    workshop.write({"base-var.yaml": f"kind: ResourceConfig\nword: {encrypt_value('ab', ONE)}\n"})
    assert workshop.run(CODESHIP_AES_KEY=ONE.text).code == 0
    result = workshop.run(CODESHIP_AES_KEY=another()[0].text)
    assert result.code == 2
    assert "base-var.yaml:2: word cannot be decrypted" in result.log
