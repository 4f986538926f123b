# SPDX-License-Identifier: MIT
"""What people and machines are told at the end of a run, each form made from the same result value.

`table` is the summary in the log, `summary` the one on a CI service's page, `document` the value behind `report.json`
(`schemas/report.schema.json`), `junit` the file that CI services show as tests, `markdown` what a merge request gets.
`comment` is the Markdown of KIT_DIFF_FILE for a pull request, `shown` the same in the log. `page` is `report.html`,
with the fleet as a `matrix` and a `timeline`. `same` finds what several clusters have in common, `words` makes foreign
text harmless. A further form is a further file, and a line in `write_reports`.
"""

import json
from pathlib import Path
from typing import Final

from kit_core.files import write_atomically
from kit_core.secrets import Masker
from kit_deployer.objects import Json
from kit_deployer.result import RunResult

JSON_FILE: Final = "report.json"
JUNIT_FILE: Final = "junit.xml"
MARKDOWN_FILE: Final = "report.md"
HTML_FILE: Final = "report.html"

_READABLE: Final = 2_000
"""How many objects a person would look through in JSON."""


def write_reports(result: RunResult, folder: Path, masker: Masker) -> list[Path]:
    """Write every report into `folder`, each whole or not at all. Raises `WorkError`."""
    # Only here: the table of a run without reports needs none of them.
    from kit_deployer.report.document import document
    from kit_deployer.report.junit import junit
    from kit_deployer.report.markdown import markdown
    from kit_deployer.report.page import page
    from kit_deployer.report.words import masked

    result = masked(result, masker)
    texts = {
        JSON_FILE: _json(document(result)),
        JUNIT_FILE: junit(result),
        MARKDOWN_FILE: markdown(result),
        HTML_FILE: page(result),
    }
    written = []
    for name, text in texts.items():
        path = folder / name
        write_atomically(path, masker.mask(text), what=f"The report {name}")
        written.append(path)
    return written


def write_comment(result: RunResult, path: Path, masker: Masker, *, provider: str) -> None:
    """Write the Markdown for a pull request, cut to what the forge of this CI service takes. Raises `WorkError`."""
    from kit_deployer.report.comment import comment, limit_of
    from kit_deployer.report.words import masked

    text = comment(masked(result, masker), limit=limit_of(provider))
    write_atomically(path, masker.mask(text), what="The difference for a pull request (KIT_DIFF_FILE)")


def _json(content: Json) -> str:
    """JSON that people can read, so far as people would: in a large fleet's each cluster has one line.

    Half of a surrogate pair, which no file can hold, is written as JSON writes it in ASCII.
    """
    clusters = content["clusters"]
    if sum(len(cluster["objects"]) for cluster in clusters) <= _READABLE:
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    else:
        short = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
        head = json.dumps({**content, "clusters": []}, indent=2, ensure_ascii=False).removesuffix("[]\n}")
        text = f"{head}[\n" + ",\n".join(map(short, clusters)) + "\n]\n}\n"
    return text.encode("utf-8", "backslashreplace").decode()
