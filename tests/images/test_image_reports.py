# SPDX-License-Identifier: MIT
"""The image holds what its reports are made with: jinja2, and the page's template, style and script."""

from __future__ import annotations

from tests.images.running import Image


def test_reports_are_written_by_the_image_also_when_nothing_was_touched(deployer: Image) -> None:
    reports = deployer.owned(1234, name="reports")
    done = deployer.run(options=("-v", f"{reports}:/reports", "-e", "KIT_REPORT_DIR=/reports", "--read-only"))
    assert done.code == 2, done.text
    assert sorted(path.name for path in reports.iterdir()) == ["junit.xml", "report.html", "report.json", "report.md"]
    page = (reports / "report.html").read_text()
    assert "No kubeconfig was found" in page
    assert page.rstrip().endswith("</html>")
    assert (reports / "report.html").stat().st_uid == 1234
