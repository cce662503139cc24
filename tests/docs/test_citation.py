"""CITATION.cff says of the software what pyproject.toml says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_citation_is_of_this_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    fields = dict(re.findall(r"^([a-z-]+): (.+)$", citation, re.MULTILINE))
    assert fields["cff-version"] == "1.2.0"
    assert fields["version"] == project["version"]
    assert fields["license"] == project["license"]
    assert fields["title"].startswith(f'"{project["name"]}: ')
    listed = re.search(r"^keywords:\n((?:  - .+\n)+)", citation, re.MULTILINE)
    assert listed is not None
    assert re.findall(r"- (.+)", listed[1]) == project["keywords"]
    authors = [author["name"] for author in project["authors"]]
    assert re.findall(r"^  - name: (.+)$", citation, re.MULTILINE) == authors
