"""`nanoslab dose`: exposures in the units of a microscope, losses, headers, one line for every bad input."""

import json
from pathlib import Path

import numpy as np
import pytest
from microscope_files import write_dm3, write_fei_tiff, write_velox_emd

from nanoslab.beam import broad_beam, plan_session
from nanoslab.cli.beam.microscope_file import exposure_of
from nanoslab.cli.main import main


def test_the_command_is_the_call(capsys: pytest.CaptureFixture[str], answer) -> None:
    options = "CdSe --kv 200 --current 10mA --area 1cm2 --time 10min --threshold Se=5.12 Cd=8"
    found = answer("dose", *options.split())
    plan = plan_session("CdSe", 200, broad_beam(10e-3, 1e16, 600.0), thresholds={"Se": 5.12, "Cd": 8.0})
    assert {key: found[key] for key in plan.to_dict()} == json.loads(json.dumps(plan.to_dict()))
    assert main(["dose", *options.split()]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == plan.sentence


@pytest.mark.parametrize(
    "exposure",
    [
        "--current 50pA --pixel 0.02nm --dwell 10us",
        "--current 0.05 --pixel 20pm --dwell 10us --frames 1 --probe 1A",
        "--dose 78018.9",
        "--dose 7801890e/nm2",
        "--dose-rate 7801.89 --time 10",
        "--current 50pA --area 0.0004nm2 --time 10us",
        "--current 50pA --diameter 0.225676A --time 10us",
    ],
)
def test_every_way_to_say_an_exposure(answer, exposure: str) -> None:
    found = answer("dose", "MoS2", "--kv", "80kV", *exposure.split())
    assert found["dose_e_per_A2"] == pytest.approx(78018.9, rel=1e-4)


def test_several_voltages_and_heating(answer) -> None:
    options = (
        "graphene --kv 60,80 --current 50pA --pixel 0.2 --dwell 1us --conductivity 2000 --density 2.2 --heat-sink 1um"
    )
    found = answer("dose", *options.split())["voltages"]
    assert [row["beam_energy_keV"] for row in found] == [60, 80]
    assert 0 < found[1]["temperature_rise_K"] < found[0]["temperature_rise_K"] < 1


def test_the_map_and_the_verdict(answer, tmp_path: Path) -> None:
    target = tmp_path / "map.png"
    options = ("CdSe", "--kv", "200", "--dose", "3745", "--observed-loss", "Se=0.2", "Cd=0.1", "--map", str(target))
    (selenium, cadmium) = answer("dose", *options)["explanations"]
    assert selenium["verdict"].endswith("unknown")
    assert cadmium["needed_barn"] == pytest.approx(-np.log(0.9) / 3745 * 1e8)
    assert target.stat().st_size > 5000


def test_a_header_fills_what_was_not_given(answer, tmp_path: Path) -> None:
    hspy = pytest.importorskip("rsciio.hspy")
    tem = {"beam_energy": 80.0, "beam_current": 0.05, "Detector": {"EDS": {"dwell_time": 1e-5}}}
    axes = [
        {"name": n, "size": 4, "offset": 0.0, "scale": 0.02, "units": "nm", "navigate": False, "index_in_array": i}
        for i, n in enumerate("yx")
    ]
    signal = {
        "data": np.zeros((4, 4)),
        "axes": [{**axis, "_type": "UniformDataAxis", "is_binned": False} for axis in axes],
        "metadata": {"Acquisition_instrument": {"TEM": tem}, "General": {"title": "scan"}, "Signal": {}},
        "original_metadata": {},
        "package": "test",
        "package_info": {},
        "package_version": "0",
        "learning_results": {},
        "attributes": {"_lazy": False, "ragged": False},
        "tmp_parameters": {},
        "models": {},
    }
    hspy.file_writer(str(tmp_path / "scan.hspy"), signal)
    found = answer("dose", "MoS2", "--from", str(tmp_path / "scan.hspy"))
    assert found["beam_energy_keV"] == 80
    assert found["dose_e_per_A2"] == pytest.approx(78018.9, rel=1e-4)
    more = answer("dose", "MoS2", "--from", str(tmp_path / "scan.hspy"), "--current", "100pA", "--kv", "60")
    assert more["dose_e_per_A2"] == pytest.approx(2 * 78018.9, rel=1e-4)
    assert more["beam_energy_keV"] == 60


SCAN = {"beam_energy_keV": 80, "dose_e_per_A2": pytest.approx(78018.9, rel=1e-4)}


def microscope_file(folder: Path, ending: str, current: float | None = 50e-12) -> str:
    """Scan of 0.2 Å and 10 µs at 80 kV, as a microscope writes it."""
    path, image = folder / f"scan{ending}", np.zeros((4, 4))
    if ending == ".dm3":
        info = {"Voltage": 80000.0, "Illumination Mode": "STEM NANOPROBE"}
        info |= {} if current is None else {"Probe Current (nA)": 1e9 * current}
        write_dm3(path, {"Microscope Info": info, "DigiScan": {"Sample Time": 10.0}}, image, 0.02)
    elif ending == ".emd":
        optics = {"AccelerationVoltage": "80000", "LastMeasuredScreenCurrent": str(current or 0)}
        size = {"PixelSize": {"width": "2e-11", "height": "2e-11"}, "PixelUnitX": "m", "PixelUnitY": "m"}
        detector = {"Detector": "HAADF", "DetectorIndex": "0"}
        more = {
            "Scan": {"DwellTime": "1e-05", "FrameTime": "0.1"},
            "Detectors": {"Detector-0": {"DetectorName": "HAADF"}},
        }
        start = {"Acquisition": {"AcquisitionStartDatetime": {"DateTime": "1600000000"}, "BeamType": ""}}
        rest = {"Core": {"MetadataDefinitionVersion": "7.9"}, "Instrument": {}, "Sample": {}, "Stage": {}}
        write_velox_emd(path, {"Optics": optics, "BinaryResult": size | detector, **more, **start, **rest}, image)
    else:
        beam = {"HV": 80000} | ({} if current is None else {"BeamCurrent": current})
        scan = {"PixelWidth": 2e-11, "PixelHeight": 2e-11, "Dwelltime": 1e-5}
        write_fei_tiff(path, {"Beam": {"HV": 80000}, "EBeam": beam, "Scan": scan}, image)
    return str(path)


@pytest.mark.parametrize("ending", [".dm3", ".emd", ".tif"])
def test_headers_of_three_makers_give_the_same_dose(answer, tmp_path: Path, ending: str) -> None:
    pytest.importorskip("rsciio")
    found = answer("dose", "MoS2", "--from", microscope_file(tmp_path, ending))
    assert {key: found[key] for key in SCAN} == SCAN


@pytest.mark.parametrize("ending", [".dm3", ".emd", ".tif"])
def test_what_a_header_lacks_is_named_in_one_line(refused, answer, tmp_path: Path, ending: str) -> None:
    pytest.importorskip("rsciio")
    path = microscope_file(tmp_path, ending, current=None)
    said = refused("dose", "MoS2", "--from", path)
    assert "a header with current, pixel, dwell, got no current; give --current" in said
    found = answer("dose", "MoS2", "--from", path, "--current", "50pA")
    assert {key: found[key] for key in SCAN} == SCAN


def test_metadata_without_a_beam_say_nothing() -> None:
    assert exposure_of({}, []) == {}
    assert exposure_of({"Acquisition_instrument": {"TEM": {}}}, [{"units": "eV", "scale": 1.0}]) == {}
    camera = {"Detector": {"Camera": {"exposure": 0.5}}}
    assert exposure_of({"Acquisition_instrument": {"TEM": camera}}, []) == {"time": 0.5}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ("CdSe --kv 200", "--current --pixel --dwell"),
        ("CdSe --kv 200 --current 1nA --pixel 1A", "got --current --pixel"),
        ("CdSe --dose 1e4", "--kv"),
        ("CdSe --kv 200 --current 5bananas --dose 1", "pa"),
        ("CdSe --kv 200 --dose -1", "--dose"),
        ("CdSe --kv 200 --dose 1e4 --threshold Te=4", "--threshold"),
        ("CdSe --kv 200 --dose 1e4 --allowed-loss 3", "allowed loss"),
        ("CdSe --kv 200 --dose 1e4 --density 3", "--conductivity"),
        ("CdSe --kv 200 --dose 1e4 --map a.png", "--observed-loss"),
        ("CdSe --kv 200 --dose 1e4 --observed-loss Se=3", "20 % is 0.2"),
        ("Xx --kv 200 --dose 1e4", "did you mean Xe"),
        ("CdSe --from nowhere.dm4", "nowhere.dm4"),
        ("CdSe --from setup.docx", ".dm4"),
    ],
)
def test_bad_input_is_one_line(refused, arguments: str, named: str) -> None:
    assert named in refused("dose", *arguments.split())
