"""The room's names: all there, and none of them loaded before it is asked for."""

import subprocess
import sys

import pytest

from nanoslab import beam


@pytest.mark.parametrize("name", beam.__all__)
def test_every_public_name_resolves_and_is_documented(name: str) -> None:
    assert getattr(beam, name).__doc__
    assert name in dir(beam)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="cross_sektion"):
        _ = beam.cross_sektion


def test_kinematics_and_vibrations_import_no_numpy() -> None:
    code = (
        "import sys\n"
        "from nanoslab.beam import max_transferred_energy, threshold_beam_energy\n"
        "from nanoslab.beam import debye_velocity_variance, dose_budget\n"
        "max_transferred_energy('Se', 200); threshold_beam_energy('Se', 5); debye_velocity_variance('Se', 181, 0)\n"
        "dose_budget(10, 0.1)\n"
        "sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
