# SPDX-License-Identifier: MIT
"""What came of a run, for people, for the JSON log and for the CI's step outputs."""

from collections import Counter

from kit_core.console import Console
from kit_image_deployer.change import FileOutcome, Outcome
from kit_image_deployer.message.defuse import one_line


def report(outcome: Outcome, console: Console) -> None:
    """Tell the outcome. The last line names image, file, branch and commit; where several files were asked for, those
    that change (else all), separated by commas, and how many came to what.
    """
    for item in outcome.files:
        facts = {"file": item.path, "image": item.image, "result": item.result}
        if item.result == "unchanged":
            console.info(f"{item.path} already names {item.image}", **facts)
        elif item.result == "superseded":
            held = one_line(item.previous or "")
            console.info(f"{item.path} keeps {held}: {item.why}; KIT_ALLOW_DOWNGRADE=true overrides this", **facts)
    changing = [item for item in outcome.files if item.result == "updated"]
    if outcome.result == "dry-run":
        _show(outcome, changing, console)
    elif outcome.result == "updated":
        console.success(f"pushed {outcome.commit} to {outcome.branch}")
    elif outcome.result == "proposed":
        console.success(f"{outcome.url} proposes {outcome.commit} on {outcome.branch}")
    elif outcome.result == "superseded":
        console.info("a newer build was here first: nothing was changed")
    told = changing or outcome.files
    facts = {
        "image": ",".join(item.image for item in told),
        "file": ",".join(item.path for item in told),
        "branch": outcome.branch,
        "commit": outcome.commit or "",
        "url": outcome.url or "",
    }
    if len(outcome.files) > 1:
        facts |= {word: str(count) for word, count in sorted(Counter(item.result for item in outcome.files).items())}
    elif outcome.result != "unchanged":
        facts["previous"] = one_line(outcome.previous or "")
    console.result(outcome.result, **{name: value for name, value in facts.items() if value})


def _show(outcome: Outcome, changing: list[FileOutcome], console: Console) -> None:
    title = f"{changing[0].path} would change" if len(changing) == 1 else f"{len(changing)} files would change"
    with console.group(title):
        console.foreign(outcome.diff)
    with console.group("with the commit message"):
        console.foreign(outcome.message)
    console.info("dry run: nothing was pushed; set COMMIT=true to push it")
