from .abtem_images import abtem_exit_wave, abtem_haadf_image
from .files import read_images, read_tilts, write_images
from .haadf import annular_cross_section, haadf_image
from .hrtem import exit_wave, hrtem_image, wave_image
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
    "abtem_exit_wave",
    "abtem_haadf_image",
    "annular_cross_section",
    "counted_image",
    "exit_wave",
    "field_of_view",
    "haadf_image",
    "hrtem_image",
    "image_spacings",
    "index_spacings",
    "projected_potential",
    "read_images",
    "read_tilts",
    "rose_dose",
    "wave_image",
    "write_images",
]
