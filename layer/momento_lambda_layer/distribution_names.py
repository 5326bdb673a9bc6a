"""Names of distributions, which have many spellings."""

import re


def normalized(name: str) -> str:
    """Return the one spelling of a distribution's name that PEP 503 compares by."""
    return re.sub(r"[-_.]+", "-", name).lower()
