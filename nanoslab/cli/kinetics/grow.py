"""Clusters that grow by monomers, isomers that change into one another, and rate constants from measured courses."""

COMMANDS = {
    "chain": ("kinetics.grow_chain", "clusters of given sizes that take monomers, against time"),
    "isomers": ("kinetics.grow_isomers", "two isomers that change into one another, against time or fitted to a file"),
    "arrhenius": ("kinetics.grow_arrhenius", "activation energy and prefactor of rates at several temperatures"),
}
