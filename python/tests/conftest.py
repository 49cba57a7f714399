"""What all tests of the package share."""

import subprocess

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes to draw is the machine's doing, and none of a test's.
settings.register_profile(
    "firbank", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("firbank")


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", help="run the long tests as well")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--full"):
        return
    skip = pytest.mark.skip(reason="takes long; runs with --full")
    for item in items:
        if item.get_closest_marker("full"):
            item.add_marker(skip)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 1 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "firbank-test", place]
    try:
        done = subprocess.run(command, capture_output=True, timeout=10, check=False)
    except OSError as error:
        pytest.skip(f"there is no mount: {error}")
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted: {done.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True, timeout=10)
