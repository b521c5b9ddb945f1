"""The account that operators act on, with its people."""

from tests.dashboard.conftest import scene as scene
