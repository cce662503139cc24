"""What all tests share: where the small real data lies, and a cache of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# No test may fail because a machine is busy.
settings.register_profile("busy machines", deadline=None)
settings.load_profile("busy machines")

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Small real data beside the checkout; tests that need it skip when it is missing."""
    if not SHARED.is_dir():
        pytest.skip("../shared/data (small real data and golden values) is not beside the checkout")
    return SHARED


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
