# SPDX-License-Identifier: MIT
"""Which steps belong to a branch or tag."""

import functools
from typing import Any

from kit_pipeline.files.finding import Finding, Report
from kit_pipeline.files.step import Step

_LOOKS_LIKE_ONE = frozenset("()|*+?[]\\")


def fits(pattern: str, ref: str) -> bool:
    """Whether `pattern` means the branch or tag `ref`: it is equal, or an RE2 expression, if it has `^` or `$`.

    Equality is tried first. An expression that is none fits nothing (https://github.com/google/re2/wiki/Syntax).
    """
    if pattern == ref:
        return True
    if "^" not in pattern and "$" not in pattern:
        return False
    expression = _compiled(pattern)
    return expression is not None and expression.search(ref) is not None


def taken(step: Step, ref: str | None) -> bool:
    """Whether the step's own `tag` and `exclude` let it run for `ref`; `exclude` wins. Without a ref no tag fits."""
    if ref is None:
        return step.tag is None
    if step.exclude is not None and fits(step.exclude, ref):
        return False
    return step.tag is None or fits(step.tag, ref)


def check_patterns(steps: tuple[Step, ...], report: Report) -> None:
    """Warn of expressions that match nothing, and of what only looks like one."""
    for step in steps:
        for key, pattern in (("tag", step.tag), ("exclude", step.exclude)):
            if pattern is None:
                continue
            if "^" in pattern or "$" in pattern:
                if _compiled(pattern) is None:
                    what = f"`{key}` of {step.called} is no RE2 expression and matches nothing: {pattern}"
                    report(Finding("warning", step.place, what, "RE2 knows no look-ahead and no references back."))
            elif _LOOKS_LIKE_ONE & set(pattern):
                what = f"`{key}` of {step.called} looks like an expression and matches only itself: {pattern}"
                report(Finding("warning", step.place, what, f"An expression has `^` or `$`: ^{pattern}$"))
        check_patterns(step.steps, report)


@functools.lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any | None:
    import re2  # type: ignore[import-untyped]

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error:
        return None
