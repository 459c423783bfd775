"""Constants of the beam room, CODATA 2022.

`scipy.constants` holds the same numbers but costs ten times the run time of
``nanoslab knockon``, so they stand here once; a test compares them with it.
"""

from __future__ import annotations

from math import pi

#: rest energy of the electron, m c² [eV]
ELECTRON_REST_ENERGY_EV = 510_998.950_69

#: rest energy of the atomic mass constant, u c² [eV]
ATOMIC_MASS_ENERGY_EV = 931_494_103.72

#: fine-structure constant
FINE_STRUCTURE = 7.297_352_564_3e-3

#: classical electron radius [m]
CLASSICAL_ELECTRON_RADIUS_M = 2.817_940_320_5e-15

#: Boltzmann constant [eV/K]
BOLTZMANN_EV_PER_K = 8.617_333_262e-5

#: reduced Planck constant [eV s]
REDUCED_PLANCK_EV_S = 6.582_119_569e-16

#: speed of light [m/s]
SPEED_OF_LIGHT_M_PER_S = 299_792_458.0

#: elementary charge [C], and the atomic mass constant [kg]
ELECTRON_CHARGE_C = 1.602_176_634e-19
ATOMIC_MASS_KG = 1.660_539_068_92e-27

#: one barn [m²]
BARN_M2 = 1e-28

#: π r_e², the unit of every cross-section here [barn]
ELECTRON_DISC_BARN = pi * CLASSICAL_ELECTRON_RADIUS_M**2 / BARN_M2

#: electrons per Å² and second in a current density of 1 A/cm²
ELECTRONS_PER_A2_S_IN_A_PER_CM2 = 1e-16 / ELECTRON_CHARGE_C
