from .atoms import RoundTrip, TracedAtoms, compare_atoms, trace_atoms
from .density import reconstruct_density
from .projections import Projections, measured_projections, project, random_rotations, tilt_rotations

__all__ = [
    "Projections",
    "RoundTrip",
    "TracedAtoms",
    "compare_atoms",
    "measured_projections",
    "project",
    "random_rotations",
    "reconstruct_density",
    "tilt_rotations",
    "trace_atoms",
]
