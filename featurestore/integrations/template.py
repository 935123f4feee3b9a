"""Templates of Python modules. Every value is written as a literal, so that none becomes code."""

import json
from string import Template

from featurestore.integrations.project import ScheduledProject


def filled(template: str, project: ScheduledProject, **code: str) -> str:
    """Return the text of a module.

    Args:
        template: Its text, with ``$name``, ``$program``, ``$folder`` and so on for literals.
        project: Their values.
        code: Further parts, which are code already.
    """
    variables = (f"{literal(k)}: {literal(v)}" for k, v in project.variables.items())
    parts = {
        "project": project.name,  # for comments: letters, digits, - and _
        "name": literal(project.name),
        "folder": literal(str(project.folder)),
        "program": literal(str(project.program)),
        "variables": f"{{{', '.join(variables)}}}",
        "retries": literal(project.retries),
        "seconds": literal(project.retry_seconds),
    }
    return Template(template).substitute(parts | code)


def literal(value: str | float | None) -> str:
    r"""Return a value as Python code, texts in double quotes.

    Example:
        >>> print(literal('a "text"'), literal(30.0), literal(None))
        "a \"text\"" 30 None
    """
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)  # Python reads all escapes of JSON's texts
    return f"{value:g}" if isinstance(value, float) else repr(value)
