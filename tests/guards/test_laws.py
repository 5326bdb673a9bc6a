import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "laws").glob("[0-9]*.md"))
NAMED = [
    pytest.param(file, test, id=f"{page.stem}-{Path(file).stem}-{test}")
    for page in PAGES
    for file, test in re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", page.read_text())
]


def test_each_law_has_a_page() -> None:
    """There are five laws, and each has a page that names the tests that prove it."""
    assert [str(number) for number in range(1, 6)] == [page.name[0] for page in PAGES]
    assert all("::test_" in page.read_text() for page in PAGES)


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_a_proof_exists(file: str, test: str) -> None:
    """A test that a law's page names is there under that name."""
    assert re.search(rf"^ *(async )?def {test}\(", (ROOT / file).read_text(), re.MULTILINE)
