#!/bin/bash
#SBATCH --nodes=1
#SBATCH --ntasks=32
#SBATCH --time=24:00:00
#SBATCH --signal=B:USR1@600
#SBATCH --output=slurm/%A_%a.out
#
# Runs the folders of calculations.tsv as plain Slurm job arrays, with bash and awk only.
#
#   bash submit.sh           queue every folder whose VASP has not come to its end; run it again later to go on
#   bash submit.sh --list    only say which folders those are
#
# One array per level: calculations that start from another one wait for it, and begin from its CONTCAR without the
# removed atoms. The script judges nothing and repeats nothing. A VASP that ended by itself counts as finished,
# converged or not: 'nanoslab status' says which runs are good (a copy of the folder will do), and 'nanoslab submit
# --backend array' repeats the others. By hand: move what VASP left out of the folder and submit again.
# Edit the lines above and the next function for your cluster; nanoslab does not replace an edited file.

run_vasp() { # $1 is vasp_std, vasp_gam or vasp_ncl
    # module load vasp
    srun "$1"
}

# ---- nothing to edit below

finished() { # VASP came to its own end in folder $1; a stop before the wall time is none
    local file
    ! grep -qs '"state": "done"' "$1/state.json" || return 0
    for file in "$1/OUTCAR" "$1/OUTCAR.gz"; do
        [ -s "$file" ] && zgrep -q 'General timing and accounting' "$file" && ! zgrep -q 'stop encountered' "$file" && return
    done
    return 1
}

rows() { # lines of calculations.tsv with level $1 that are to be computed; not those that nanoslab has in its hands
    local name level _ line=1
    while IFS=$'\t' read -r name level _; do
        line=$((line + 1))
        [ "$level" = "$1" ] && ! finished "$name" && ! grep -qs '"state": "[qr]u' "$name/state.json" && echo $line
    done < <(tail -n +2 calculations.tsv)
}

whole() { # CONTCAR $1 has every line of POSCAR $2, and numbers in them
    [ -s "$1" ] && [ "$(wc -l <"$1")" -ge "$(wc -l <"$2")" ] && ! tail -n +2 "$1" | grep -qi '\*\|nan'
}

start_of_child() { # $1 relaxed parent, $2 POSCAR of the child, $3 numbers of the parent's atoms that it lacks
    awk -v lacks=",$3," '
        FNR == 1 { file++; first = atom = 0 }
        FNR == 7 { n = 0; for (i = 1; i <= NF; i++) n += $i }
        (FNR == 8 || FNR == 9) && /^ *[DdCcKk]/ { first = FNR + 1; if (file == 1) mode = $0; else $0 = mode }
        file == 1 && FNR <= 5 { head[FNR] = $0 }
        file == 2 && FNR >= 2 && FNR <= 5 { $0 = head[FNR] }
        first && FNR >= first && ++atom <= n {
            if (file == 2) $0 = "  " place[atom] "  " $4 "  " $5 "  " $6
            else if (!index(lacks, "," atom ",")) place[++kept] = $1 "  " $2 "  " $3
        }
        file == 2 && (!first || atom <= n)
        END { exit kept != n }' "$1" "$2"
}

prepare() { # what an earlier start left is kept, its CONTCAR gone on from; a child ($1 parent, $2 removed) follows its parent
    local file
    [ -e POSCAR.initial ] || cp -p POSCAR POSCAR.initial
    if [ -e OUTCAR ] || [ -e CONTCAR ]; then
        mkdir -p attempts/000
        for file in *; do
            case $file in POSCAR* | INCAR* | KPOINTS* | POTCAR* | *.json) continue ;; esac
            [ ! -f "$file" ] || mv --backup=numbered "$file" attempts/000/
        done
        ! whole attempts/000/CONTCAR POSCAR || cp attempts/000/CONTCAR POSCAR
    elif [ "$1" != - ]; then
        whole "../$1/CONTCAR" "../$1/POSCAR" && start_of_child "../$1/CONTCAR" POSCAR.initial "$2" >.new && mv .new POSCAR
    fi
}

if [ -n "${SLURM_ARRAY_TASK_ID:-}" ]; then # inside a job: the folder on this line of the table
    IFS=$'\t' read -r name _ binary parent removed < <(sed -n "${SLURM_ARRAY_TASK_ID}p" calculations.tsv)
    [ "$parent" = - ] || finished "$parent" || { echo "$name starts from $parent, which did not end" && exit 1; }
    cd "$name" && [ -s POTCAR ] || { echo "$name: no POTCAR; POTCAR.spec names the datasets to join" && exit 1; }
    [ "${1:-}" = prepared ] || prepare "$parent" "$removed" || { echo "$name: the CONTCAR of $parent is broken" && exit 1; }
    trap "stopped=stopped; echo 'LSTOP = .TRUE.' >STOPCAR" USR1 # Slurm says so ten minutes before the wall time ends
    run_vasp "$binary" >vasp.out 2>std_err.txt &
    until wait $!; status=$?; ! kill -0 $! 2>/dev/null; do :; done # the signal ends wait, not VASP
    echo "$status ${stopped:-}" >vasp.exit
    exit
fi

cd "$(dirname "$0")" && mkdir -p slurm || exit 1
label=ns$(printf %s "$(pwd -P)" | sha256sum | cut -c1-8).array # names this campaign's arrays in the queue
if [ "${1:-}" != --list ] && [ -n "$(squeue --noheader --name="$label" --user="$(id -u)")" ]; then
    echo "submit.sh: an array of this campaign is in the queue; wait for it, or end it with scancel --name=$label" >&2
    exit 2
fi
for level in $(tail -n +2 calculations.tsv | cut -f2 | sort -nu); do
    lines=$(rows "$level" | paste -sd,)
    [ "$lines" ] || continue
    if [ "${1:-}" = --list ]; then sed -n "${lines//,/p;}p" calculations.tsv | cut -f1 && continue; fi
    job=$(sbatch --parsable --job-name="$label" ${job:+--dependency="afterany:$job"} --array="$lines" "$(basename "$0")") || exit 2
    job=${job%%;*}
    echo "level $level: job $job for lines $lines of calculations.tsv"
done
