from .haadf import annular_cross_section, haadf_image, probe_intensity
from .hrtem import exit_wave, hrtem_image
from .image import Image, counted_image, rose_dose
from .microscope import Microscope
from .potential import FieldOfView, field_of_view, projected_potential
from .spacings import IndexedSpacing, Spacing, image_spacings, index_spacings

__all__ = [
    "FieldOfView",
    "Image",
    "IndexedSpacing",
    "Microscope",
    "Spacing",
    "annular_cross_section",
    "counted_image",
    "exit_wave",
    "field_of_view",
    "haadf_image",
    "hrtem_image",
    "image_spacings",
    "index_spacings",
    "probe_intensity",
    "projected_potential",
    "rose_dose",
]
