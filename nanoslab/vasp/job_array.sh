#!/bin/bash
#SBATCH --nodes=1
#SBATCH --ntasks=32
#SBATCH --time=24:00:00
#SBATCH --signal=B:USR1@600
#SBATCH --requeue
#SBATCH --open-mode=append
#
# A campaign of VASP runs as job arrays: one job per folder, no Python needed on the nodes.
#
#   bash submit.sh          queue everything that is not finished; run it again whenever you like
#   bash submit.sh --list   only say what would be queued
#
# Edit the lines above and the settings below for your cluster. nanoslab writes this file once and never
# replaces it; the table of folders it works through is calculations.tsv.

SLOTS=${SLOTS:-20} # jobs running at one time
TRIES=${TRIES:-3}  # starts of VASP per job before it gives up

run_vasp() { # $1 is vasp_std, vasp_gam or vasp_ncl
    # module load vasp
    srun "$1"
}

# ---------------------------------------------------------------- nothing to edit below

set -u
campaign=${SLURM_SUBMIT_DIR:-$(cd "$(dirname "$0")" && pwd)}
cd "$campaign" || exit 1

say() { echo "$(date '+%F %T') $*"; }

outcar() { # text of the OUTCAR of folder $1, plain or gzipped
    if [ -s "$1/OUTCAR" ]; then cat "$1/OUTCAR"; elif [ -s "$1/OUTCAR.gz" ]; then gzip -dc "$1/OUTCAR.gz"; fi
}

finished() { # VASP came to its end in folder $1, and a relaxation reached its accuracy
    outcar "$1" | awk -v relaxes="$(awk -F= '$1 ~ /^[ \t]*NSW[ \t]*$/ { print ($2 + 0 > 0) }' "$1/INCAR")" '
        /reached required accuracy/ { accurate = 1 }
        /General timing and accounting/ { ended = 1 }
        END { exit !(ended && (accurate || relaxes != 1)) }'
}

# Where atoms stand in a POSCAR or CONTCAR grouped by species (comment, scale, three vectors, symbols, counts).
layout='
    FNR == 1 { file++; first = 0 }
    FNR == 7 { first = 9; atoms[file] = 0; for (i = 1; i <= NF && $i ~ /^[0-9]+$/; i++) atoms[file] += $i }
    FNR == 8 && /^[ \t]*[Ss]/ { first = 10 }
    { atom = (first && FNR >= first && FNR < first + atoms[file]) ? FNR - first + 1 : 0 }
    function number(x) { return x ~ /^[-+]?[0-9]*\.?[0-9]+([EeDd][-+]?[0-9]+)?$/ }
'

whole() { # $1 (a CONTCAR) holds every atom of $2 (its POSCAR), all of them numbers
    [ -s "$1" ] && awk "$layout"'
        file == 1 && atom && number($1) && number($2) && number($3) { good++ }
        END { exit !(atoms[1] > 0 && good == atoms[1] && atoms[1] == atoms[2]) }' "$1" "$2"
}

start_of_child() { # $1 relaxed parent, $2 POSCAR of the child, $3 numbers of the parent's atoms it lacks
    awk -v removed="$3" "$layout"'
        BEGIN { n = split(removed, list, ","); for (i = 1; i <= n; i++) gone[list[i]] = 1 }
        file == 1 && FNR <= 5 { head[FNR] = $0 }
        file == 1 && first && FNR == first - 1 { mode = $0 }
        file == 1 && atom && !(atom in gone) { position[++kept] = $1 "  " $2 "  " $3 }
        file == 1 { next }
        FNR == 1 || FNR == 6 || FNR == 7 { print }
        FNR >= 2 && FNR <= 5 { print head[FNR] }
        FNR == 8 && first == 10 { print }
        FNR == first - 1 { print mode }
        atom { print "  " position[atom] "  " $4 "  " $5 "  " $6 }
        END { exit !(atoms[2] > 0 && kept == atoms[2]) }' "$1" "$2"
}

replace_poscar() { # the new POSCAR is POSCAR.new; the first one is kept as POSCAR.initial
    [ -e POSCAR.initial ] || cp -p POSCAR POSCAR.initial || return 1
    mv POSCAR.new POSCAR
}

put_away() { # what an earlier start left goes to attempts/001, 002...; nothing is deleted
    local n=1 there file
    for file in OUTCAR OSZICAR vasprun.xml vasp.out STOPCAR; do [ -e "$file" ] && there=yes; done
    [ "${there:-}" ] || return 0
    while [ -e "$(printf 'attempts/%03d' $n)" ]; do n=$((n + 1)); done
    there=$(printf 'attempts/%03d' $n)
    mkdir -p "$there" && cp -p POSCAR "$there/" || return 1
    for file in OUTCAR OSZICAR vasprun.xml XDATCAR CONTCAR STOPCAR PCDAT REPORT vasp.out; do
        [ ! -e "$file" ] || mv "$file" "$there/" || return 1
    done
}

prepare() { # the start of this try: the last valid CONTCAR, else the relaxed parent, else the POSCAR as it is
    if whole CONTCAR POSCAR; then
        cp CONTCAR POSCAR.new && put_away && replace_poscar
    elif put_away && [ "$parent" != - ] && [ ! -e POSCAR.initial ]; then
        finished "../$parent" || { say "$name waits: $parent is not finished"; return 1; }
        whole "../$parent/CONTCAR" "../$parent/POSCAR" || { say "$name: CONTCAR of $parent is broken"; return 1; }
        start_of_child "../$parent/CONTCAR" POSCAR "$removed" >POSCAR.new && replace_poscar
    fi
}

run_one() { # one folder, up to TRIES starts of VASP
    local try stopped='' pid status
    cd "$name" || return 1
    [ -s POTCAR ] || { say "$name: no POTCAR; POTCAR.spec names the datasets to join, in this order"; return 1; }
    for ((try = 1; try <= TRIES; try++)); do
        finished . && { say "$name is finished"; return 0; }
        prepare || return 1
        say "$name: start $try of $TRIES"
        trap 'stopped=yes; echo "LSTOP = .TRUE." >STOPCAR; say "$name: time is nearly over, VASP is asked to stop"' USR1
        run_vasp "$binary" >vasp.out 2>&1 &
        pid=$!
        wait $pid
        status=$?
        while kill -0 $pid 2>/dev/null; do # the signal ends `wait`, not VASP
            wait $pid
            status=$?
        done
        finished . && { say "$name is finished"; return 0; }
        if [ "$stopped" ]; then
            say "$name: goes on in the next job"
            scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
            return 0
        fi
        say "$name: VASP ended with $status and is not finished"
    done
    say "$name: given up after $TRIES starts; see $name/vasp.out, then run submit.sh again"
    return 1
}

submit() { # one array per level: children wait for the arrays of their parents
    local job="nanoslab-${campaign##*/}" previous='' level rows
    if [ "${1:-}" != --list ] && [ -n "$(squeue -h -n "$job" -u "$(id -un)" 2>/dev/null)" ]; then
        echo "submit.sh: $job is in the queue already; wait for it, or 'scancel -n $job' first" >&2
        return 2
    fi
    mkdir -p slurm
    for level in $(awk -F'\t' 'NR > 1 { print $2 }' calculations.tsv | sort -nu); do
        rows=''
        while IFS=$'\t' read -r row name; do
            finished "$name" || { rows+=,$row; [ "${1:-}" != --list ] || echo "$name"; }
        done < <(awk -F'\t' -v level="$level" 'NR > 1 && $2 == level { print NR - 1 "\t" $1 }' calculations.tsv)
        if [ -z "$rows" ] || [ "${1:-}" = --list ]; then continue; fi
        previous=$(sbatch --parsable --job-name="$job" --chdir="$campaign" --output=slurm/%A_%a.out \
            --array="${rows#,}%$SLOTS" ${previous:+--dependency=afterany:$previous} submit.sh) || return 2
        previous=${previous%%;*}
        echo "level $level: job $previous, rows ${rows#,}"
    done
    [ -n "$previous" ] || [ "${1:-}" = --list ] || echo "everything is finished"
}

if [ -z "${SLURM_ARRAY_TASK_ID:-}" ]; then
    submit "$@"
    exit
fi
IFS=$'\t' read -r name _ binary parent removed < <(awk -v row="$SLURM_ARRAY_TASK_ID" 'NR == row + 1' calculations.tsv)
run_one
