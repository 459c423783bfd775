from .debye import Vibration, debye_intensity
from .distances import PairDistances, pair_distances
from .form_factors import FORM_FACTORS, form_factors
from .pdf import MeasuredPdf, PdfFit, PdfWindow, difference_pdf, fit_pdf, pair_distribution, rank_structures
from .sizes import SizeMixture, core_shell_intensity, fit_sizes, sphere_amplitude, sphere_intensity

__all__ = [
    "FORM_FACTORS",
    "MeasuredPdf",
    "PairDistances",
    "PdfFit",
    "PdfWindow",
    "SizeMixture",
    "Vibration",
    "core_shell_intensity",
    "debye_intensity",
    "difference_pdf",
    "fit_pdf",
    "fit_sizes",
    "form_factors",
    "pair_distances",
    "pair_distribution",
    "rank_structures",
    "sphere_amplitude",
    "sphere_intensity",
]
