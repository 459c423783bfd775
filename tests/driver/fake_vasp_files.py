# ruff: noqa: E501, SIM115
"""The files the stand-in for VASP writes, laid out as VASP lays them out."""

import sys
from pathlib import Path
from typing import Any

import numpy as np

VERSION = "6.4.2"
MASSES = {"Cd": 112.411, "Se": 78.960, "Pb": 207.2, "S": 32.066, "Zn": 65.39, "Te": 127.6}
VALENCE = {"Cd": 12.0, "Se": 6.0, "Pb": 4.0, "S": 6.0, "Zn": 12.0, "Te": 6.0}


class Outputs:
    """OUTCAR, vasprun.xml, OSZICAR, CONTCAR and the standard output of one run."""

    def __init__(self, poscar: Any, incar: Any, kpoints: list[str]) -> None:
        self.poscar, self.incar = poscar, incar
        self.mesh = [int(word) for word in kpoints[3].split()[:3]]
        self.outcar = Path("OUTCAR").open("w")
        self.vasprun = Path("vasprun.xml").open("w")
        self.oszicar = Path("OSZICAR").open("w")
        Path("CONTCAR").write_text("")
        self.previous = 0.0
        self.say(f" vasp.{VERSION} stand-in\n")
        self._outcar_head()
        self._vasprun_head()

    def say(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    def parameter(self, name: str, default: float) -> float:
        return self.incar.number(name, default)

    def _outcar_head(self) -> None:
        poscar, write = self.poscar, self.outcar.write
        write(
            f" vasp.{VERSION} 20Jul23 (build stand-in) complex\n\n executed on             none date 2024.01.01  00:00:00\n"
        )
        write(" running    1 mpi-ranks, on    1 nodes\n")
        for symbol in poscar.symbols * 2:  # VASP lists them twice
            write(f" POTCAR:    PAW_PBE {symbol} 06Sep2000\n")
        for symbol in poscar.symbols:
            write(f"   VRHFIN ={symbol}: stand-in\n   TITEL  = PAW_PBE {symbol} 06Sep2000\n")
            write(
                f"   POMASS = {MASSES.get(symbol, 50.0):8.3f}; ZVAL   = {VALENCE.get(symbol, 4.0):8.3f}    mass and valenz\n"
            )
        write(f"\n   ions per type =   {''.join(f'{count:5d}' for count in poscar.counts)}\n")
        write("\n Startparameter for this run:\n")
        write(f"   NELM   = {int(self.parameter('NELM', 60)):6d};   NELMIN=  2; NELMDL= -5     # of ELM steps\n")
        write(f"   EDIFF  = {self.parameter('EDIFF', 1e-4):.1E}   stopping-criterion for ELM\n")
        write(f"   EDIFFG = {self.parameter('EDIFFG', -0.01):.1E}   stopping-criterion for IOM\n")
        write(f"   NSW    = {int(self.parameter('NSW', 0)):6d}    number of steps for IOM\n")
        write(f"   ENCUT  = {self.parameter('ENCUT', 400):6.1f} eV  29.40 Ry    5.42 a.u.\n")
        write(f"   ISIF   = {int(self.parameter('ISIF', 2)):6d}    stress and relaxation\n")
        write(f"   IBRION = {int(self.parameter('IBRION', 2)):6d}    ionic relax: 0-MD 1-quasi-New 2-CG\n")
        electrons = sum(VALENCE.get(s, 4.0) for s in poscar.species)
        write(
            f"   NELECT = {electrons:12.4f}    total number of electrons\n   k-points           NKPTS =      1   k-points in BZ"
        )
        write(f"     NKDIM =      1   number of bands    NBANDS= {int(electrons):6d}\n")
        write(f"   number of dos      NEDOS =    301   number of ions     NIONS = {len(poscar.species):6d}\n")
        write("   max r-space proj   IRMAX =      1   max aug-charges    IRDMAX=      1\n")
        write("   dimension x,y,z NGX =    24 NGY =   24 NGZ =   80\n   total plane-waves  NPLWV =  46080\n")
        write("\n k-points in reciprocal lattice and weights: stand-in\n")
        write("   0.00000000  0.00000000  0.00000000       1.000\n")
        self._outcar_lattice()
        self.outcar.flush()

    def _outcar_lattice(self) -> None:
        cell, write = self.poscar.cell, self.outcar.write
        write(f"\n  energy-cutoff  : {self.parameter('ENCUT', 400):12.2f}\n")
        write(f"  volume of cell : {abs(np.linalg.det(cell)):12.2f}\n")
        write("      direct lattice vectors                 reciprocal lattice vectors\n")
        for direct, reciprocal in zip(cell, np.linalg.inv(cell).T, strict=True):
            write(" " + "".join(f"{x:13.9f}" for x in (*direct, *reciprocal)) + "\n")
        write("\n")

    def _vasprun_head(self) -> None:
        write = self.vasprun.write
        write('<?xml version="1.0" encoding="ISO-8859-1"?>\n<modeling>\n <generator>\n')
        for name, value in (("program", "vasp"), ("version", VERSION), ("subversion", "stand-in"), ("platform", "none"),
                            ("date", "2024 01 01"), ("time", "00:00:00")):  # fmt: skip
            write(f'  <i name="{name}" type="string">{value} </i>\n')
        write(" </generator>\n <incar>\n")
        for name, value in self.incar.tags.items():
            write(f"  {xml_item(name, value)}\n")
        write(' </incar>\n <kpoints>\n  <generation param="Gamma">\n')
        write(f'   <v type="int" name="divisions">{"".join(f"{n:9d}" for n in self.mesh)} </v>\n')
        write('   <v name="usershift">      0.00000000      0.00000000      0.00000000 </v>\n  </generation>\n')
        write(
            '  <varray name="kpointlist" >\n   <v>       0.00000000       0.00000000       0.00000000 </v>\n  </varray>\n'
        )
        write('  <varray name="weights" >\n   <v>       1.00000000 </v>\n  </varray>\n </kpoints>\n <parameters>\n')
        self._vasprun_parameters()
        write(" </parameters>\n")
        self._vasprun_atoms()
        self._structure(self.poscar.positions, ' name="initialpos" ', selective=self.poscar.selective)
        self.vasprun.flush()

    def _vasprun_parameters(self) -> None:
        write, value = self.vasprun.write, self.parameter
        write('  <separator name="electronic" >\n')
        write(
            f'   <i name="ENMAX">{value("ENCUT", 400):16.8f}</i>\n   <i name="EDIFF">{value("EDIFF", 1e-4):16.8f}</i>\n'
        )
        write(f'   <i type="int" name="NELM">{int(value("NELM", 60)):6d}</i>\n')
        write(f'   <i type="int" name="ISMEAR">{int(value("ISMEAR", 0)):6d}</i>\n')
        write(
            f'   <i name="SIGMA">{value("SIGMA", 0.1):16.8f}</i>\n   <i type="int" name="ISPIN">{int(value("ISPIN", 1)):6d}</i>\n'
        )
        write(
            f'   <i type="string" name="GGA">PE</i>\n   <i type="int" name="NBANDS">{len(self.poscar.species) * 9:6d}</i>\n'
        )
        write(f'   <i name="NELECT">{sum(VALENCE.get(s, 4.0) for s in self.poscar.species):16.8f}</i>\n')
        write('   <i type="logical" name="LNONCOLLINEAR"> F  </i>\n   <i type="logical" name="LSORBIT"> F  </i>\n')
        write('  </separator>\n  <separator name="ionic" >\n')
        write(f'   <i type="int" name="NSW">{int(value("NSW", 0)):6d}</i>\n')
        write(f'   <i type="int" name="IBRION">{int(value("IBRION", 2)):6d}</i>\n')
        write(f'   <i type="int" name="ISIF">{int(value("ISIF", 2)):6d}</i>\n')
        write(f'   <i name="EDIFFG">{value("EDIFFG", -0.01):16.8f}</i>\n  </separator>\n')

    def _vasprun_atoms(self) -> None:
        write, poscar = self.vasprun.write, self.poscar
        write(f" <atominfo>\n  <atoms>{len(poscar.species):8d} </atoms>\n  <types>{len(poscar.symbols):8d} </types>\n")
        write(
            '  <array name="atoms" >\n   <dimension dim="1">ion</dimension>\n   <field type="string">element</field>\n'
        )
        write('   <field type="int">atomtype</field>\n   <set>\n')
        for kind, (symbol, count) in enumerate(zip(poscar.symbols, poscar.counts, strict=True), start=1):
            write(f"    <rc><c>{symbol:<2}</c><c>{kind:4d}</c></rc>\n" * count)
        write('   </set>\n  </array>\n  <array name="atomtypes" >\n   <dimension dim="1">type</dimension>\n')
        for name, kind in (("atomspertype", "int"), ("element", "string"), ("mass", ""), ("valence", ""),
                           ("pseudopotential", "string")):  # fmt: skip
            write(f"   <field{f' type={chr(34)}{kind}{chr(34)}' if kind else ''}>{name}</field>\n")
        write("   <set>\n")
        for symbol, count in zip(poscar.symbols, poscar.counts, strict=True):
            numbers = f"<c>{MASSES.get(symbol, 50.0):16.8f}</c><c>{VALENCE.get(symbol, 4.0):16.8f}</c>"
            write(f"    <rc><c>{count:4d}</c><c>{symbol:<2}</c>{numbers}<c> PAW_PBE {symbol} 06Sep2000</c></rc>\n")
        write("   </set>\n  </array>\n </atominfo>\n")

    def _structure(self, positions: np.ndarray, name: str = "", selective: bool = False) -> None:
        write, cell = self.vasprun.write, self.poscar.cell
        write(f' <structure{name}>\n  <crystal>\n   <varray name="basis" >\n')
        write("".join(f"    <v>{row_text(row)} </v>\n" for row in cell))
        write(
            f'   </varray>\n   <i name="volume">{abs(np.linalg.det(cell)):16.8f} </i>\n   <varray name="rec_basis" >\n'
        )
        write("".join(f"    <v>{row_text(row)} </v>\n" for row in np.linalg.inv(cell).T))
        write('   </varray>\n  </crystal>\n  <varray name="positions" >\n')
        write("".join(f"   <v>{row_text(row)} </v>\n" for row in positions @ np.linalg.inv(cell)))
        write("  </varray>\n")
        if selective:
            write('  <varray type="logical" name="selective" >\n')
            write("".join("   <v type=\"logical\">" + "".join(f" {'T' if f else 'F'} " for f in row) + "</v>\n"
                          for row in self.poscar.free))  # fmt: skip
            write("  </varray>\n")
        write(" </structure>\n")

    def ionic_step(
        self, step: int, positions: np.ndarray, energy: float, forces: np.ndarray, changes: list[float]
    ) -> None:
        """One ionic step with its electronic loop, in every file."""
        self._electronic(step, energy, changes)
        out, cell = self.outcar.write, self.poscar.cell
        self._structure(positions)
        self.vasprun.write('  <varray name="forces" >\n' + "".join(f"   <v>{row_text(row)} </v>\n" for row in forces))
        self.vasprun.write('  </varray>\n  <varray name="stress" >\n' + f"   <v>{row_text(np.zeros(3))} </v>\n" * 3)
        self.vasprun.write("  </varray>\n")
        self.vasprun.write(
            f'  <energy>\n{energy_items(energy)}  </energy>\n  <time name="totalsc">    0.01    0.01</time>\n'
        )
        self.vasprun.write(" </calculation>\n")
        out(f"\n  FORCE on cell =-STRESS in cart. coord.  units (eV):\n  in kB  {'    0.00000' * 6}\n")
        out(
            "  external pressure =        0.00 kB  Pullay stress =        0.00 kB\n\n VOLUME and BASIS-vectors are now :\n"
        )
        out(
            f" -----------------------------------------------------------------------------\n  energy-cutoff  : {400:12.2f}\n"
        )
        out(f"  volume of cell : {abs(np.linalg.det(cell)):12.2f}\n")
        out("      direct lattice vectors                 reciprocal lattice vectors\n")
        for direct, reciprocal in zip(cell, np.linalg.inv(cell).T, strict=True):
            out(" " + "".join(f"{x:13.9f}" for x in (*direct, *reciprocal)) + "\n")
        out("\n POSITION                                       TOTAL-FORCE (eV/Angst)\n " + "-" * 83 + "\n")
        for place, force in zip(positions, forces, strict=True):
            out("".join(f"{x:13.5f}" for x in place) + "  " + "".join(f"{x:14.6f}" for x in force) + "\n")
        out(" " + "-" * 83 + "\n    total drift:" + f"{0:33.6f}{0:14.6f}{0:14.6f}\n\n")
        out("  FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)\n  ---------------------------------------------------\n")
        out(f"  free  energy   TOTEN  = {energy:18.8f} eV\n\n")
        out(f"  energy  without entropy= {energy:17.8f}  energy(sigma->0) ={energy:17.8f}\n\n")
        out("     LOOP+:  cpu time      0.0100: real time      0.0100\n")
        change = energy if step == 1 else energy - self.previous
        self.oszicar.write(f"{step:4d} F= {energy:.8E} E0= {energy:.8E}  d E ={change:.6E}\n")
        self.say(f"{step:4d} F= {energy:.8E} E0= {energy:.8E}  d E ={change:.6E}\n")
        self.previous = energy
        for stream in (self.outcar, self.vasprun, self.oszicar):
            stream.flush()

    def _electronic(self, step: int, energy: float, changes: list[float]) -> None:
        self.vasprun.write(" <calculation>\n")
        self.oszicar.write(
            "       N       E                     dE             d eps       ncg     rms          rms(c)\n"
        )
        for number, change in enumerate(changes, start=1):
            value = energy if number == len(changes) else energy + change
            self.vasprun.write(
                f'  <scstep>\n   <time name="total">    0.01    0.01</time>\n   <energy>\n{energy_items(value)}'
            )
            self.vasprun.write("   </energy>\n  </scstep>\n")
            self.oszicar.write(
                f"DAV: {number:3d}    {value:.12E}   {change:12.5E}   {change:12.5E}   100   {abs(change):9.3E}\n"
            )
            self.outcar.write(
                f"\n--------------------------------------- Iteration {step:6d}({number:4d})  " + "-" * 39 + "\n"
            )
            electrons = sum(VALENCE.get(symbol, 4.0) for symbol in self.poscar.species)
            self.outcar.write(f" number of electron {electrons:15.7f} magnetization       0.0000000\n")
            self.outcar.write("     LOOP:  cpu time      0.0010: real time      0.0010\n")
            self.outcar.write(f"\n  free energy    TOTEN  = {value:18.8f} eV\n")
        if abs(changes[-1]) < self.parameter("EDIFF", 1e-4):
            self.outcar.write(
                "\n------------------------ aborting loop because EDIFF is reached ----------------------------------------\n"
            )
        else:
            self.outcar.write(
                "\n------------------------ aborting loop EDIFF was not reached (unconverged)  ----------------------------\n"
            )
        self.outcar.write(" E-fermi :   1.2345     XC(G=0):  -5.0000     alpha+bet : -3.0000\n")

    def contcar(self, positions: np.ndarray) -> None:
        """CONTCAR in fractional coordinates, written in place as VASP does."""
        poscar = self.poscar
        lines = [poscar.comment, "   1.00000000000000"]
        lines += ["  " + "".join(f"{x:22.16f}" for x in row) for row in poscar.cell]
        lines += ["   " + "   ".join(poscar.symbols), "".join(f"{count:6d}" for count in poscar.counts)]
        lines += ["Selective dynamics"] * poscar.selective + ["Direct"]
        for place, flags in zip(positions @ np.linalg.inv(poscar.cell), poscar.free, strict=True):
            words = "".join(f"{'T' if flag else 'F':>4}" for flag in flags) if poscar.selective else ""
            lines.append("".join(f"{x:20.16f}" for x in place) + words)
        Path("CONTCAR").write_text("\n".join([*lines, "", *["  0.00000000E+00" * 3] * len(positions), ""]))
        self.last = positions

    def close(self, note: str) -> None:
        """The last lines of a run that ends by itself."""
        self._structure(
            self.last if hasattr(self, "last") else self.poscar.positions, ' name="finalpos" ', self.poscar.selective
        )
        self.vasprun.write("</modeling>\n")
        if note:
            self.outcar.write(f" {note}\n")
            self.say(f" {note}\n")
        self.outcar.write(
            "\n\n General timing and accounting informations for this job:\n ========================================================\n\n"
        )
        self.outcar.write(
            "                  Total CPU time used (sec):        0.010\n                            User time (sec):        0.010\n"
        )
        self.outcar.write(
            "                          System time (sec):        0.000\n                         Elapsed time (sec):        0.010\n"
        )
        self.outcar.write(
            "\n                   Maximum memory used (kb):       10000.\n                   Average memory used (kb):           0.\n"
        )
        for stream in (self.outcar, self.vasprun, self.oszicar):
            stream.close()

    def cut_in_the_middle(self) -> None:
        """Leave the files as a kill between two writes leaves them."""
        self.vasprun.write(' <calculation>\n  <scstep>\n   <time name="total">    0.')
        self.outcar.write("\n POSITION                               TOTAL-FO")
        for stream in (self.outcar, self.vasprun, self.oszicar):
            stream.flush()


def row_text(row: np.ndarray) -> str:
    return "".join(f"{x:17.8f}" for x in row)


def energy_items(value: float) -> str:
    names = ("e_fr_energy", "e_wo_entrp", "e_0_energy")
    return "".join(f'   <i name="{name}">{value:16.8f} </i>\n' for name in names)


def xml_item(name: str, value: str) -> str:
    try:
        return f'<i type="int" name="{name}">{int(value):6d}</i>'
    except ValueError:
        pass
    try:
        return f'<i name="{name}">{float(value):16.8f}</i>'
    except ValueError:
        kind = "logical" if value.strip(".").upper() in ("T", "F", "TRUE", "FALSE") else "string"
        return f'<i type="{kind}" name="{name}">{value.strip(".")[:1].upper() if kind == "logical" else value}</i>'
