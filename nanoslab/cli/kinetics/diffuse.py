"""Exchange by diffusion: fronts that move inwards, materials that mix, cores that leave a void, atom by atom."""

COMMANDS = {
    "front": ("kinetics.diffuse_front", "a sharp exchange front from the surface of a particle to its centre"),
    "couple": ("kinetics.diffuse_couple", "two materials that mix across their interface, core and shell or end caps"),
    "hollow": ("kinetics.diffuse_hollow", "a core that reacts to a shell and leaves a Kirkendall void"),
    "atoms": ("kinetics.diffuse_atoms", "cation exchange of a structure atom by atom, by kinetic Monte Carlo"),
}
