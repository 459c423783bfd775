"""Structures that carry the recipe which built them: nanosheets, vacancies, necks, ligand sandwiches, nanocrystals."""

from nanoslab.build.ledger import Ledger, Plane, sheet_ledger
from nanoslab.build.nanosheet import available_terminations, build_nanosheet

__all__ = ["Ledger", "Plane", "available_terminations", "build_nanosheet", "sheet_ledger"]
