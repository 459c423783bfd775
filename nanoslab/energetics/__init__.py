"""Numbers in, frozen results out: formation energies, chemical potentials, what may be subtracted from what."""
