"""Two materials, each on its own lattice: coincident cells, heterostructures, ion exchange, energies of interfaces."""
