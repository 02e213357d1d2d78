"""A town as on every path, with a folder of the test's own."""

from __future__ import annotations

import pytest

from tests.path.conftest import town  # noqa: F401


@pytest.fixture
def inbox(tmp_path):
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder
