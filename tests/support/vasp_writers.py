"""Small synthetic VASP outputs in the layout of the real ones, for tests that must not need the real ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

CELL = np.array([[6.0, 0.0, 0.0], [1.0, 7.0, 0.0], [0.5, -0.7, 20.0]])
SPECIES = (("Cd", 2, "PAW_PBE Cd 06Sep2000"), ("Se", 2, "PAW_PBE Se 06Sep2000"))
POSITIONS = np.array([[0.0, 0.0, 0.4], [0.5, 0.5, 0.45], [0.1, 0.4, 0.5], [0.6, 0.9, 0.55]])
FORCES = np.array([[0.001, 0.0, -0.002], [0.0, 0.003, 0.0], [-0.001, 0.0, 0.002], [0.0, -0.003, 0.0]])
TAGS = {
    "ENMAX": "400.0",
    "EDIFF": "1e-05",
    "NELM": "60",
    "NSW": "50",
    "IBRION": "2",
    "ISIF": "2",
    "EDIFFG": "-0.01",
    "ISPIN": "1",
}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One ionic step: F and E0 of every electronic step, and what the forces act on."""

    electrons: tuple[tuple[float, float], ...] = ((-10.0, -10.1), (-20.5, -20.6), (-20.500004, -20.600004))
    correction: float = 0.0
    forces: np.ndarray = field(default_factory=lambda: FORCES)
    positions: np.ndarray = field(default_factory=lambda: POSITIONS)
    stress_kB: float = 1.5
    closed: bool = True

    @property
    def free_energy(self) -> float:
        return round(self.electrons[-1][0] + self.correction, 8)

    @property
    def energy(self) -> float:
        return round(self.electrons[-1][1] + self.correction, 8)


@dataclass(frozen=True, kw_only=True)
class Run:
    """A whole run; `extra_kib` of eigenvalues make it as large as one likes."""

    version: str = "6.4.2"
    steps: tuple[Step, ...] = (Step(),)
    tags: Mapping[str, str] = field(default_factory=dict)
    incar: Mapping[str, str] = field(default_factory=dict)
    species: Sequence[tuple[str, int, str]] = SPECIES
    cell: np.ndarray = field(default_factory=lambda: CELL)
    free: np.ndarray | None = None
    reached: bool = True
    extra_kib: int = 1
    pressure_in_block: float = 0.0

    @property
    def all_tags(self) -> dict[str, str]:
        return {**TAGS, **self.tags}


def shifted(energy: float, *, n: int = 3, last_change: float = 1e-6) -> Step:
    """Step whose electrons end at `energy` with a given last change."""
    ends = [energy + 5.0, *(energy + last_change * (n - 1 - i) for i in range(1, n))]
    return Step(electrons=tuple((round(e, 8), round(e - 0.1, 8)) for e in ends))


def vasprun(run: Run) -> bytes:
    """Text of a vasprun.xml."""
    tags = "\n".join(f'   <i name="{name}">  {value}</i>' for name, value in run.all_tags.items())
    incar = "\n".join(f'  <i type="string" name="{name}">{value}</i>' for name, value in run.incar.items())
    atoms = "\n".join(
        f"    <rc><c>{symbol:<2}</c><c>{i:4d}</c></rc>"
        for i, (symbol, count, _) in enumerate(run.species, 1)
        for _ in range(count)
    )
    types = "\n".join(
        f"    <rc><c>{count:4d}</c><c>{symbol:<2}</c><c>    1.00000000</c><c>    6.00000000</c><c>  {title}   </c></rc>"
        for symbol, count, title in run.species
    )
    calculations = "\n".join(
        _calculation(run, step, extra=run.extra_kib if i == len(run.steps) - 1 else 0)
        for i, step in enumerate(run.steps)
    )
    n_atoms = sum(count for _, count, _ in run.species)
    return f"""<?xml version="1.0" encoding="ISO-8859-1"?>
<modeling>
 <generator>
  <i name="program" type="string">vasp </i>
  <i name="version" type="string">{run.version}  </i>
 </generator>
 <incar>
{incar}
 </incar>
 <kpoints>
  <generation param="Gamma">
   <v type="int" name="divisions">       4        3        1 </v>
  </generation>
  <varray name="kpointlist" >
   <v>       0.00000000       0.00000000       0.00000000 </v>
   <v>       0.25000000       0.00000000       0.00000000 </v>
  </varray>
  <varray name="weights" >
   <v>       0.50000000 </v>
   <v>       0.50000000 </v>
  </varray>
 </kpoints>
 <parameters>
  <separator name="general" >
   <i type="string" name="SYSTEM">a &lt;calculation&gt; of nothing</i>
{tags}
   <i type="int" name="KINTER">{"******" if run.version.startswith("5") else "0"}</i>
  </separator>
  <separator name="response functions" >
   <i type="int" name="NELM">     1</i>
  </separator>
 </parameters>
 <atominfo>
  <atoms>       {n_atoms} </atoms>
  <types>       {len(run.species)} </types>
  <array name="atoms" >
   <dimension dim="1">ion</dimension>
   <field type="string">element</field>
   <field type="int">atomtype</field>
   <set>
{atoms}
   </set>
  </array>
  <array name="atomtypes" >
   <dimension dim="1">type</dimension>
   <field type="int">atomspertype</field>
   <set>
{types}
   </set>
  </array>
 </atominfo>
 <structure name="initialpos" >
{_structure(run.cell, run.steps[0].positions if run.steps else POSITIONS)}{_selective(run.free)}
 </structure>
{calculations}
 <structure name="finalpos" >
{_structure(run.cell, run.steps[-1].positions if run.steps else POSITIONS)}
 </structure>
</modeling>
""".encode()


def _vectors(rows: np.ndarray, indent: int) -> str:
    return "\n".join(" " * indent + "<v>" + "".join(f"{x:17.8f}" for x in row) + " </v>" for row in rows)


def _structure(cell: np.ndarray, positions: np.ndarray) -> str:
    return f"""  <crystal>
   <varray name="basis" >
{_vectors(cell, 4)}
   </varray>
   <i name="volume">{abs(np.linalg.det(cell)):15.8f} </i>
  </crystal>
  <varray name="positions" >
{_vectors(positions, 3)}
  </varray>"""


def _selective(free: np.ndarray | None) -> str:
    if free is None:
        return ""
    rows = "\n".join('   <v type="logical" > ' + "".join(f" {'FT'[int(x)]} " for x in row) + "</v>" for row in free)
    return f'\n  <varray name="selective"  type="logical" >\n{rows}\n  </varray>'


def _energies(free: float, without: float, zero: float, indent: int) -> str:
    names = (("e_fr_energy", free), ("e_wo_entrp", without), ("e_0_energy", zero))
    return "\n".join(" " * indent + f'<i name="{name}">{value:16.8f} </i>' for name, value in names)


def _calculation(run: Run, step: Step, *, extra: int) -> str:
    electrons = "\n".join(
        f'  <scstep>\n   <time name="total">    1.00    1.00</time>\n   <energy>\n'
        f"{_energies(f, 2 * e0 - f, e0, 4)}\n   </energy>\n  </scstep>"
        for f, e0 in step.electrons
    )
    if not step.closed:
        return f" <calculation>\n{electrons}"
    pv = run.pressure_in_block
    f, e0 = step.free_energy + pv, step.energy + pv
    # up to 6.0 the block calls the entropy e_0_energy and E0 e_wo_entrp
    old = tuple(int(x) for x in run.version.split(".")[:2]) < (6, 1)
    block = _energies(f, e0, 2 * (f - e0), 3) if old else _energies(f, 2 * e0 - f, e0, 3)
    bulk = "\n".join("       <r>    -6.5279    1.0000 </r>" for _ in range(extra * 1024 // 33))
    return f""" <calculation>
{electrons}
  <structure>
{_structure(run.cell, step.positions)}
  </structure>
  <varray name="forces" >
{_vectors(step.forces, 3)}
  </varray>
  <varray name="stress" >
{_vectors(np.eye(3) * step.stress_kB, 3)}
  </varray>
  <energy>
{block}
  </energy>
  <time name="totalsc">    1.00    1.00</time>
  <eigenvalues>
   <array>
    <set>
{bulk}
    </set>
   </array>
  </eigenvalues>
 </calculation>"""


_TAG_LINES = (
    ("ISPIN", "   ISPIN  =  {:>5}    spin polarized calculation?"),
    ("ENMAX", "   ENCUT  =  {} eV  29.40 Ry    5.42 a.u."),
    ("NELM", "   NELM   =  {:>5};   NELMIN=  2; NELMDL= -5     # of ELM steps"),
    ("EDIFF", "   EDIFF  = {}   stopping-criterion for ELM"),
    ("EDIFFG", "   EDIFFG = {}   stopping-criterion for IOM"),
    ("NSW", "   NSW    =  {:>5}    number of steps for IOM"),
    ("IBRION", "   IBRION =  {:>5}    ionic relax: 0-MD 1-quasi-New 2-CG"),
    ("ISIF", "   ISIF   =  {:>5}    stress and relaxation"),
    ("PSTRESS", "   PSTRESS=  {} pullay stress"),
    ("IDIPOL", "   IDIPOL =  {:>5}    1-x, 2-y, 3-z, 4-all directions"),
)


def outcar(run: Run, *, finished: bool = True) -> bytes:
    """Text of an OUTCAR."""
    tags = run.all_tags
    lines = "\n".join(line.format(tags[name]) for name, line in _TAG_LINES if name in tags)
    potentials = "\n".join(
        f" POTCAR:    {title}   \n   VRHFIN ={symbol}: s2p2\n   LEXCH  = PE\n   TITEL  = {title}\n   ENMAX  =  245.345"
        for symbol, _, title in run.species
    )
    listed = "\n".join(f" POTCAR:    {title}   " for _, _, title in run.species)
    counts = "".join(f"{count:4d}" for _, count, _ in run.species)
    n_atoms = sum(count for _, count, _ in run.species)
    incar = "\n".join(f"   {name} = {value}" for name, value in run.incar.items())
    head = f""" vasp.{run.version} 20Jul23 (build Oct 18 2023 14:14:43) complex

 executed on             LinuxIFC date 2024.05.09  11:39:43

 INCAR:
{incar}

{listed}
{potentials}

 Dimension of arrays:
   k-points           NKPTS =      2   k-points in BZ     NKDIM =      2   number of bands    NBANDS=     18
   number of dos      NEDOS =    301   number of ions     NIONS = {n_atoms:6d}
   total plane-waves  NPLWV =  13824
   ions per type =            {counts}

 Startparameter for this run:
{lines}

  energy-cutoff  :      400.00
  volume of cell :  {abs(np.linalg.det(run.cell)):12.2f}
{_lattice(run.cell)}

 k-points in reciprocal lattice and weights: synthetic
   0.00000000  0.00000000  0.00000000       0.500
   0.25000000  0.00000000  0.00000000       0.500

"""
    body = "".join(
        _ionic(run, number, step, extra=run.extra_kib if number == len(run.steps) else 0)
        for number, step in enumerate(run.steps, 1)
    )
    reached = " reached required accuracy - stopping structural energy minimisation\n\n" if run.reached else ""
    tail = f"""{reached}     LOOP+:  cpu time    5.6094: real time    5.6143


 General timing and accounting informations for this job:
 ========================================================

                  Total CPU time used (sec):        6.312
                         Elapsed time (sec):        6.203

                          Minor page faults:         9471
                 Voluntary context switches:          845
"""
    return (head + body + (tail if finished else "")).encode()


def _lattice(cell: np.ndarray) -> str:
    rows = "\n".join(
        "   " + "".join(f"{x:13.9f}" for x in row) + "    " + "".join(f"{x:13.9f}" for x in inverse)
        for row, inverse in zip(cell, np.linalg.inv(cell).T, strict=True)
    )
    return f"      direct lattice vectors                 reciprocal lattice vectors\n{rows}\n"


def _ionic(run: Run, number: int, step: Step, *, extra: int) -> str:
    previous = 0.0
    text = ""
    for count, (f, e0) in enumerate(step.electrons, 1):
        text += f"""
--------------------------------------- Iteration {number:6d}({count:4d})  ---------------------------------------

     EDDAV:  cpu time    0.6094: real time    0.6146

 total energy-change (2. order) :{_fortran(f - previous)}  (-0.1316834E-02)
 number of electron      36.0000000 magnetization       0.5000000
 augmentation part        8.0000000 magnetization       0.1000000

  free energy    TOTEN  = {f:20.8f} eV

  energy without entropy ={2 * e0 - f:18.8f}  energy(sigma->0) ={e0:18.8f}

"""
        previous = f
    if not step.closed:
        return text
    bulk = "\n".join("      1      -6.5279      1.00000" for _ in range(extra * 1024 // 34))
    cartesian = step.positions @ run.cell
    rows = "\n".join(
        "".join(f"{x:13.5f}" for x in position) + "   " + "".join(f"{x:14.6f}" for x in force)
        for position, force in zip(cartesian, step.forces, strict=True)
    )
    kb = "".join(f"{x:12.5f}" for x in (step.stress_kB,) * 3 + (0.0,) * 3)
    return f"""{text}
 E-fermi :   5.6139     XC(G=0):  -9.3909     alpha+bet :-11.7317
  band No.  band energies     occupation
{bulk}

------------------------ aborting loop because EDIFF is reached ----------------------------------------

  in kB {kb}
  external pressure =      269.63 kB  Pullay stress =        0.00 kB


 VOLUME and BASIS-vectors are now :
 -----------------------------------------------------------------------------
  energy-cutoff  :      400.00
  volume of cell :  {abs(np.linalg.det(run.cell)):12.2f}
{_lattice(run.cell)}

 POSITION                                       TOTAL-FORCE (eV/Angst)
 -----------------------------------------------------------------------------------
{rows}
 -----------------------------------------------------------------------------------
    total drift:                                0.000000     -0.000000      0.000000

--------------------------------------------------------------------------------------------------------

  FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)
  ---------------------------------------------------
  free  energy   TOTEN  = {step.free_energy:20.8f} eV

  energy  without entropy={2 * step.energy - step.free_energy:18.8f}  energy(sigma->0) ={step.energy:18.8f}


"""


def _fortran(value: float) -> str:
    """Number in Fortran's E14.7."""
    if value == 0:
        return " 0.0000000E+00"
    exponent = int(np.floor(np.log10(abs(value)))) + 1
    return f"{value / 10.0**exponent:10.7f}E{exponent:+03d}"


def oszicar(run: Run) -> bytes:
    """Text of an OSZICAR."""
    text = ""
    for number, step in enumerate(run.steps, 1):
        text += "       N       E                     dE             d eps       ncg     rms          rms(c)\n"
        previous = 0.0
        for count, (f, _) in enumerate(step.electrons, 1):
            text += f"DAV:{count:4d}    {f:.12E}   {f - previous:.5E}   -0.12566E+01 41368   0.143E+00\n"
            previous = f
        if step.closed:
            text += f"{number:4d} F= {step.free_energy:.8E} E0= {step.energy:.8E}  d E =-.1E-01  mag=     0.5000\n"
    return text.encode()


def poscar(run: Run) -> str:
    """Text of a POSCAR with the run's species."""
    symbols = " ".join(symbol for symbol, _, _ in run.species)
    counts = " ".join(str(count) for _, count, _ in run.species)
    rows = [" ".join(f"{x:.8f}" for x in row) for row in POSITIONS]
    if run.free is not None:
        rows = [f"{row} {' '.join('FT'[int(x)] for x in line)}" for row, line in zip(rows, run.free, strict=True)]
    selective = "Selective dynamics\n" if run.free is not None else ""
    cell = "\n".join(" ".join(f"{x:.9f}" for x in row) for row in run.cell)
    return f"synthetic\n1.0\n{cell}\n{symbols}\n{counts}\n{selective}Direct\n" + "\n".join(rows) + "\n"


#: stands for the licensed text that a real file holds in full
LICENSED = "parameters from PSCTR are: 3.14159 2.71828"


def vaspout(run: Run, path, *, with_rounds: bool = True, finished: bool = True, levels=None) -> None:
    """Write a vaspout.h5 with the names of py4vasp's schema and the values of the XML of the same run."""
    import h5py

    titles = "\n".join(f"  {title}\n   {LICENSED}\n   TITEL  = {title}\n End of Dataset" for _, _, title in run.species)
    rounds = [
        (n, free, free - (step.electrons[n - 2][0] if n > 1 else 0.0), 0.0, 10.0, 1e-3, 0.0)
        for step in run.steps
        for n, (free, _) in enumerate(step.electrons, 1)
    ]
    n_atoms = sum(count for _, count, _ in run.species)
    values = {
        "version/major": int(run.version.split(".")[0]),
        "version/minor": int(run.version.split(".")[1]),
        "version/patch": int(run.version.split(".")[2]),
        "input/potcar/content": titles.encode(),
        "input/poscar/selective_dynamics": int(run.free is not None),
        "input/kpoints/mode": b"g",
        "input/kpoints/number_kpoints": 0,
        "input/kpoints/nkpx": 4,
        "input/kpoints/nkpy": 3,
        "input/kpoints/nkpz": 1,
        "intermediate/ion_dynamics/scale": 1.0,
        "intermediate/ion_dynamics/energies_tags": np.array(
            [b"free energy    TOTEN", b"energy without entropy", b"energy(sigma->0)"]
        ),
        "intermediate/ion_dynamics/energies": [
            [step.free_energy, 2 * step.energy - step.free_energy, step.energy] for step in run.steps
        ],
        "intermediate/ion_dynamics/lattice_vectors": [run.cell for _ in run.steps],
        "intermediate/ion_dynamics/position_ions": [step.positions for step in run.steps],
        "intermediate/ion_dynamics/forces": [step.forces for step in run.steps],
        "intermediate/ion_dynamics/stress": [step.stress_kB * np.eye(3) for step in run.steps],
    }
    for group in ("input/poscar", "results/positions"):
        values |= {
            f"{group}/ion_types": np.array([symbol.encode() for symbol, _, _ in run.species]),
            f"{group}/number_ion_types": [count for _, count, _ in run.species],
            f"{group}/lattice_vectors": run.cell,
            f"{group}/position_ions": run.steps[-1].positions if run.steps else np.zeros((n_atoms, 3)),
            f"{group}/scale": 1.0,
            f"{group}/direct_coordinates": 1,
        }
    values["results/positions/selective_dynamics"] = int(run.free is not None)
    if run.free is not None:
        values["input/poscar/selective_dynamics_ions"] = run.free.astype(np.int8)
    tags = {**run.all_tags, **run.incar}
    tags["ENCUT"] = tags.pop("ENMAX", "400.0")
    for name, text in tags.items():
        value = float(text) if "." in text or "e" in text else int(text)
        values[f"input/incar/{name}"] = value
    if with_rounds:
        values["intermediate/ion_dynamics/oszicar"] = rounds
        values["intermediate/ion_dynamics/oszicar_label"] = np.array(
            [b"N", b"E", b"dE", b"deps", b"ncg", b"rms", b"rms(c)"]
        )
    if finished:
        energies, weights = levels or (np.array([[[-5.0, -1.0, 0.8, 3.0]] * 2]), np.array([[[1.0, 1.0, 0.0, 0.0]] * 2]))
        values |= {
            "results/electron_eigenvalues/eigenvalues": energies,
            "results/electron_eigenvalues/fermiweights": weights,
            "results/electron_eigenvalues/kpoints_symmetry_weight": np.full(energies.shape[1], 1 / energies.shape[1]),
            "results/electron_eigenvalues/ispin": len(energies),
            "results/electron_eigenvalues/nb_tot": energies.shape[2],
            "results/electron_dos/efermi": -0.1,
        }
    with h5py.File(path, "w") as file:
        for name, value in values.items():
            file[name] = np.bytes_(value) if isinstance(value, bytes) else value
