"""Crafted files: nothing is resolved, followed or kept without bound."""

import gzip
import resource
import subprocess
import sys
import tracemalloc
import zlib

import pytest
import vasp_writers as writers

from nanoslab.errors import FileError
from nanoslab.vasp import byte_stream as bytestream
from nanoslab.vasp import read_run
from nanoslab.vasp.byte_stream import ByteStream, EndOfBytesError

BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE modeling [
 <!ENTITY a "aaaaaaaaaaaaaaaaaaaa">
 <!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
]>
"""
THEFT = b"""<?xml version="1.0"?>
<!DOCTYPE modeling [<!ENTITY stolen SYSTEM "file:///etc/hostname">]>
"""


@pytest.mark.parametrize("declaration", [BOMB, THEFT], ids=["entity bomb", "external entity"])
def test_declarations_are_refused(tmp_path, declaration):
    body = writers.vasprun(writers.Run()).split(b"\n", 1)[1]
    (tmp_path / "vasprun.xml").write_bytes(declaration + body)
    run = read_run(tmp_path)
    assert run.energy is None
    assert not run.complete
    assert "declaration" in run.problems[0]


def test_an_entity_in_the_text_is_left_as_it_is(tmp_path):
    content = writers.vasprun(writers.Run(incar={"SYSTEM": "&stolen;"}))
    (tmp_path / "vasprun.xml").write_bytes(content)
    assert read_run(tmp_path).incar["SYSTEM"] == "&stolen;"


def test_a_decompression_bomb_ends_in_a_problem(tmp_path, monkeypatch):
    monkeypatch.setattr(bytestream, "BOMB_BYTES", 8 << 20)
    head = writers.vasprun(writers.Run())[:400]
    (tmp_path / "vasprun.xml.gz").write_bytes(gzip.compress(head + b" " * (40 << 20)))
    run = read_run(tmp_path)
    assert run.energy is None
    assert any("decompression bomb" in problem for problem in run.problems)


def test_an_element_without_end_is_not_kept_for_ever(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"a" * 5_000_000)
    with ByteStream(path) as stream, pytest.raises(FileError, match="at most 1 MiB"):
        stream.take(b"</never>", limit=1 << 20)


@pytest.mark.parametrize(
    "piece", [b'<varray name="x">', b"<rc>", b'<array name="atoms">', b'<i name="x', b"<i ", b"<c>"]
)
def test_a_crafted_header_does_not_take_quadratic_time(tmp_path, piece):
    content = writers.vasprun(writers.Run())
    crafted = content.replace(b"</atominfo>", piece * 100_000 + b"</atominfo>").replace(
        b"</parameters>", piece * 100_000 + b"</parameters>"
    )
    (tmp_path / "vasprun.xml").write_bytes(crafted)
    start = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    read_run(tmp_path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - start < 5


def test_memory_stays_far_below_the_file(tmp_path):
    path = tmp_path / "vasprun.xml"
    path.write_bytes(writers.vasprun(writers.Run(extra_kib=30 * 1024)))
    tracemalloc.start()
    run = read_run(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert run.converged
    assert peak < path.stat().st_size / 10


def test_resident_memory_of_many_steps_stays_below_a_tenth(tmp_path):
    path = tmp_path / "OUTCAR"
    step = writers.outcar(writers.Run(steps=(writers.Step(),) * 3, extra_kib=700))
    at = step.index(b"\n---------------------------------------", 1000)
    end = step.rindex(b" reached required")
    path.write_bytes(step[:at] + step[at:end] * 60 + step[end:])
    code = (
        "import resource, sys; import nanoslab.vasp.runs.read_run as r;"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "run = r.read_run(sys.argv[1]); assert run.energy is not None;"
        "print(1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    one_step = path.stat().st_size / 180
    assert int(done.stdout) < path.stat().st_size / 10 + one_step


def test_links_out_of_the_folder_are_not_walked(tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "OUTCAR").write_bytes(writers.outcar(writers.Run()))
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link").symlink_to(tmp_path / "outside", target_is_directory=True)
    from nanoslab.vasp import find_runs

    assert list(find_runs([inside])) == []


@pytest.mark.parametrize("chunk", [16, 61, 1 << 18])
def test_windows_of_any_size_find_the_same(tmp_path, chunk, monkeypatch):
    monkeypatch.setattr(bytestream, "CHUNK", chunk)
    run = writers.Run(steps=(writers.shifted(-20.0), writers.Step(), writers.shifted(-22.0, n=7)))
    for name, content in (("vasprun.xml", writers.vasprun(run)), ("OUTCAR", writers.outcar(run))):
        path = tmp_path / name
        path.write_bytes(content)
        result = read_run(path)
        assert [step.energy for step in result.steps] == [step.energy for step in run.steps]
        assert [step.n_electronic_steps for step in result.steps] == [3, 3, 7]
        assert all(step.energy_change is not None and step.correction is not None for step in result.steps)
        assert result.converged


def test_the_end_of_a_file_inside_an_element_is_told(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"<a>text")
    with ByteStream(path) as stream:
        assert stream.skip_past(b"<a>")
        with pytest.raises(EndOfBytesError):
            stream.take(b"</a>")


def test_broken_compression_is_a_problem_not_a_crash(tmp_path):
    packed = bytearray(gzip.compress(writers.vasprun(writers.Run(extra_kib=200))))
    packed[len(packed) // 2] ^= 0xFF
    (tmp_path / "vasprun.xml.gz").write_bytes(packed)
    run = read_run(tmp_path)
    assert not run.complete
    assert any("compressed file is" in problem for problem in run.problems)
    (tmp_path / "vasprun.xml.gz").write_bytes(b"\x1f\x8b" + zlib.compress(b"no gzip"))
    assert read_run(tmp_path).problems
