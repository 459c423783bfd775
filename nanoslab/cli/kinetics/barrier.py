"""Barriers by nudged elastic bands as VASP input sets, and their energies read back.

To compute barriers with an engine on this machine or a cluster, write a study instead: nanoslab new cds-vacancy-hop.
"""

COMMANDS = {
    "write": ("kinetics.barrier_write", "images and input files of a band between two relaxed structures"),
    "read": ("kinetics.barrier_read", "energies of the images of a band that VASP computed"),
}
