"""A result goes through monty's JSON and comes back as the same object; nothing else is made of a file."""

import json
import re
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from monty.json import MontyDecoder, MontyEncoder

from nanoslab.campaign import load_campaign
from nanoslab.driver.results import read_runs
from nanoslab.errors import InputError
from nanoslab.files import data_folder
from nanoslab.studies.result import StudyResult
from nanoslab.studies.study_file import load_study


def result_of(name: str, source: str) -> StudyResult:
    campaign = load_campaign(data_folder("workflows") / "reference_results" / name)
    return load_study(campaign.study_file).analyze(read_runs(campaign, source))


@pytest.mark.parametrize(
    ("name", "source"), [("pbse_gap_xtb", "xtb"), ("pbse_neck_xtb", "xtb"), ("cdse_nanosheet_gpaw", "gpaw")]
)
def test_a_result_comes_back_as_itself(name: str, source: str) -> None:
    result = result_of(name, source)
    text = json.dumps(result, cls=MontyEncoder)
    back: Any = json.loads(text, cls=MontyDecoder)
    assert type(back) is type(result)
    assert back.to_dict() == result.to_dict()
    assert back.tables() == result.tables()
    assert repr(back) == re.sub(r"np\.(?:str_|float64|int64|bool_)\(([^()]*)\)", r"\1", repr(result))
    for one in fields(result):
        assert type(getattr(back, one.name)) is type(getattr(result, one.name))
    assert json.dumps(back, cls=MontyEncoder) == text


def test_arrays_come_back_read_only() -> None:
    result: Any = result_of("cdse_nanosheet_gpaw", "gpaw")
    back: Any = StudyResult.from_dict(result.as_dict())
    coordination = back.sheets[0].metrics.environments.coordination
    np.testing.assert_array_equal(coordination, result.sheets[0].metrics.environments.coordination)
    assert not coordination.flags.writeable


@pytest.mark.parametrize(
    ("module", "name"),
    [("os", "system"), ("nanoslab.files", "write_atomically"), ("nanoslab..os", "x"), ("nanoslab.nowhere", "X")],
)
def test_a_document_that_names_anything_else_is_refused(module: str, name: str) -> None:
    document = result_of("pbse_gap_xtb", "xtb").as_dict()
    document["rows"] = {"@module": module, "@class": name, "path": "x"}
    with pytest.raises(InputError, match="a result class of nanoslab"):
        StudyResult.from_dict(document)
