# SPDX-License-Identifier: MIT
"""A real browser: Chromium without a screen, steered by its driver over the WebDriver protocol (W3C).

A few requests of JSON are all it takes; the libraries for it bring a browser's download or an event loop of their own.
No other part needs it: who does starts it and stops it again.
"""

from __future__ import annotations

import base64
import json
import os
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.container import Container
from testbed.docker import docker
from testbed.images import BROWSER, ensure_image

_PORT = 9515
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
_ALL, _BACKSPACE = "\ue009a\ue000", "\ue003"
"""Control and A, then no key held; both as the protocol writes keys."""
_OPTIONS = [
    "--headless=new",
    "--no-sandbox",  # it is root in its container
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--hide-scrollbars",
]


@dataclass(frozen=True)
class Browser:
    """A window. Pages are files, opened as a person opens a report that a CI kept: from the disk."""

    container: Container
    url: str

    def open(self, page: Path) -> None:
        """Open an HTML file of this machine; returns when it is loaded."""
        docker("cp", str(page), f"{self.container.name}:/tmp/{page.name}")
        self._post("url", {"url": f"file:///tmp/{page.name}"})

    def script(self, body: str, *arguments: Any) -> Any:
        """What a function with this body returns in the page; `arguments[0]` is the first of the others."""
        return self._post("execute/sync", {"script": body, "args": list(arguments)})

    def type(self, selector: str, text: str) -> None:
        """Type into an element, as a person does; what was there goes first."""
        self._post(f"element/{self._element(selector)}/value", {"text": _ALL + _BACKSPACE + text})

    def click(self, selector: str) -> None:
        """Click on an element."""
        self._post(f"element/{self._element(selector)}/click", {})

    def emulate(self, **features: str) -> None:
        """Set media features of the page: `prefers_color_scheme="dark"`."""
        given = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self._command("Emulation.setEmulatedMedia", {"features": given})

    def resize(self, width: int, height: int) -> None:
        """Make the window that large, in pixels."""
        self._post("window/rect", {"width": width, "height": height})

    def screenshot(self) -> bytes:
        """What is seen of the page, as PNG."""
        return base64.b64decode(_ask("GET", f"{self.url}/screenshot"))

    def messages(self) -> list[str]:
        """What the page's console has said since this was last asked: errors of scripts, what its policy refused."""
        return [entry["message"] for entry in self._post("se/log", {"type": "browser"})]

    def _element(self, selector: str) -> str:
        found: dict[str, str] = self._post("element", {"using": "css selector", "value": selector})
        return found[_ELEMENT]

    def _command(self, name: str, parameters: dict[str, Any]) -> None:
        self._post("goog/cdp/execute", {"cmd": name, "params": parameters})

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        return _ask("POST", f"{self.url}/{path}", body)


def _ask(method: str, url: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=120) as answer:
        return json.load(answer)["value"]


@contextmanager
def running(bed: str) -> Iterator[Browser]:
    """A browser with one window, in a testbed's network. Its image is built first, where it is not here."""
    container = Container(bed, f"browser-{os.getpid()}")
    image = ensure_image(BROWSER, lambda _: None)
    try:
        container.start(image, [], ports=[_PORT])
        container.await_true(
            f"bash -c ': < /dev/tcp/127.0.0.1/{_PORT}'", what="answer of the browser's driver", limit=60
        )
        base = f"http://127.0.0.1:{container.port(_PORT)}"
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": _OPTIONS},
            "goog:loggingPrefs": {"browser": "ALL"},
        }
        session = _ask("POST", f"{base}/session", {"capabilities": {"alwaysMatch": wanted}})
        yield Browser(container, f"{base}/session/{session['sessionId']}")
    finally:
        docker("rm", "--force", "--volumes", container.name, check=False)
