"""What the tests of the vocabulary share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def recordings():
    """Return the folder of recordings beside the project."""
    folder = Path(os.environ.get("BIST_REALDATA") or Path(__file__).parents[2].parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no recordings in {folder}")
    return folder
