#!/bin/bash
#SBATCH --nodes=1
#SBATCH --ntasks=32
#SBATCH --time=24:00:00
#SBATCH --signal=B:USR1@600
#SBATCH --requeue
#SBATCH --open-mode=append
#
# A campaign of VASP runs as a job array, no Python needed on the nodes: every job of the array is a slot that
# takes one free folder of calculations.tsv after the other until its time ends, then queues itself again.
#
#   bash submit.sh           queue what is not done; run it again whenever you like, it resumes
#   bash submit.sh --list    only say what would be computed
#   bash submit.sh --retry   give folders that failed new tries, then queue
#
# In every folder: state.json says where it stands and why; attempts/001, 002... keep what earlier starts left.
# Edit the lines above and the settings below for your cluster; nanoslab does not replace an edited file.

SLOTS=${SLOTS:-20} # jobs at a time; fewer are queued where the cluster takes no more
TRIES=${TRIES:-3}  # starts of a folder before it is given up; a stop at the time limit counts as none

run_vasp() { # $1 is vasp_std, vasp_gam or vasp_ncl
    # module load vasp
    srun "$1"
}

# ---------------------------------------------------------------- nothing to edit below

set -u
if [ -n "${SLURM_ARRAY_TASK_ID:-}" ]; then # inside a job $0 is Slurm's own copy
    campaign=${NANOSLAB_CAMPAIGN:-$SLURM_SUBMIT_DIR}
    script=${NANOSLAB_SCRIPT:-$campaign/submit.sh}
else
    campaign=${NANOSLAB_CAMPAIGN:-$(cd "$(dirname "$0")" && pwd)}
    script=$(realpath "$0")
fi
cd "$campaign" || exit 1
label=ns$(printf %s "$(pwd -P)" | sha256sum | cut -c1-8) # marks this campaign's jobs in the queue
stopped='' vasp=''

say() { echo "$(date '+%F %T') $*"; }

field() { # value of field $2 in the one-line JSON file $1
    local line='' pattern="\"$2\": *\"?([^\",}]*)"
    { read -r line <"$1"; } 2>/dev/null
    [[ ! $line =~ $pattern ]] || printf %s "${BASH_REMATCH[1]}"
}

write_line() { # $1 file, $2 its one line: whole or not at all; in place where the disk is full
    local padded
    padded=$(printf '%-2047s' "$2")
    { echo "$padded" >"$1.new"; } 2>/dev/null && mv "$1.new" "$1" && return 0
    rm -f "$1.new"
    { echo "$padded" 1<>"$1"; } 2>/dev/null
}

record() { # $1 state, $2 why: where this folder stands
    local why
    why=$(printf %s "${2:-}" | tr -d '"\\' | tr -cs '[:print:]' ' ' | cut -c1-1000)
    write_line state.json "{\"schema\": 1, \"state\": \"$1\", \"reason\": \"$why\", \"attempt\": ${number:-0}, \
\"tries_from\": $(pardon), \"job\": \"${SLURM_JOB_ID:-}\", \"host\": \"$(hostname)\", \"pid\": 0, \
\"backend\": \"array\", \"since\": $(date +%s), \"wall_time_s\": 0}"
    say "$name: $1${2:+: $2}"
}

record_attempt() { # $1 outcome, $2 why: how this start ended; without them, who runs it
    local who="\"host\": \"$(hostname)\", \"pid\": $$, \"job\": \"${SLURM_JOB_ID:-}\", \
\"restart\": ${SLURM_RESTART_COUNT:-0}, \"started\": ${started:-0}" why
    why=$(printf %s "${2:-}" | tr -d '"\\' | tr -cs '[:print:]' ' ' | cut -c1-1000)
    write_line "$(attempt "$number")/job.json" \
        "{\"schema\": 1, $who${1:+, \"outcome\": \"$1\", \"reason\": \"$why\", \"steps\": $(ionic_steps)}}"
}

attempt() { printf 'attempts/%03d' "$1"; }

latest() { # number of the last start of this folder
    local last
    last=$(ls attempts 2>/dev/null | grep -x '[0-9]*' | sort -n | tail -n 1)
    echo $((10#${last:-0}))
}

pardon() { # starts up to this one count no more
    local from
    from=$(field state.json tries_from)
    echo "${from:-0}"
}

bad_starts() { # starts that ended badly since the last pardon
    local n count=0
    for ((n = $(pardon) + 1; n <= $(latest); n++)); do
        [ "$(field "$(attempt $n)/job.json" outcome)" = stopped ] || count=$((count + 1))
    done
    echo $count
}

outcar() { # text of the OUTCAR of folder $1, plain or gzipped
    if [ -s "$1/OUTCAR" ]; then cat "$1/OUTCAR"; elif [ -s "$1/OUTCAR.gz" ]; then gzip -dc "$1/OUTCAR.gz"; fi
}

ionic_steps() { outcar . | grep -c 'FREE ENERGIE OF THE ION'; }

tag() { # value of tag $1 in the INCAR of folder $2
    awk -F= -v tag="$1" '{ gsub(/[ \t]/, "", $1) } toupper($1) == tag { print $2 + 0; exit }' "$2/INCAR"
}

unfinished() { # why the run in folder $1 is not finished; empty when it is
    outcar "$1" | awk -v relaxes="$(tag NSW "$1")" -v limit="$(tag NELM "$1")" '
        /reached required accuracy/ { accurate = 1 }
        /General timing and accounting/ { ended = 1 }
        /--- Iteration/ { split($0, part, /[()]/); electronic = part[2] + 0 }
        /FREE ENERGIE OF THE ION/ { if (electronic >= (limit > 0 ? limit : 60)) stuck++; electronic = 0 }
        END {
            if (!ended) print "VASP did not come to its end"
            else if (stuck) print "the electrons of " stuck " ionic steps did not converge within NELM"
            else if (relaxes > 0 && !accurate) print "the relaxation ran out of steps"
        }'
}

finished() { # VASP came to a good end in folder $1
    [ -n "$(outcar "$1" | head -c 1)" ] && [ -z "$(unfinished "$1")" ]
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

put_aside() { # everything an earlier start left goes into the folder of that start; nothing is deleted
    local file target n there
    target=$(attempt $((number - 1)))
    for file in *; do
        case $file in
        POSCAR | INCAR | KPOINTS | POTCAR | POTCAR.spec | calculation.json | vasp.json | state.json* | *.initial) continue ;;
        esac
        [ -f "$file" ] || continue
        mkdir -p "$target" || return 1
        there=$target/$file n=0
        while [ -e "$there" ]; do n=$((n + 1)) there=$target/$file.$n; done
        mv "$file" "$there" || return 1
    done
}

prepare() { # the start: the last whole CONTCAR of an earlier one, else the relaxed parent, else the POSCAR as it is
    local file n=$number from=''
    put_aside || return 1
    for file in POSCAR INCAR KPOINTS; do
        [ -e "$file.initial" ] || { cp -p "$file" ".$file.part" && mv ".$file.part" "$file.initial"; } || return 1
    done
    while [ $((n -= 1)) -ge 0 ] && [ -z "$from" ]; do
        ! whole "$(attempt $n)/CONTCAR" POSCAR.initial || from=$(attempt $n)/CONTCAR
    done
    if [ "$from" ]; then
        cp "$from" .POSCAR.new && mv .POSCAR.new POSCAR || return 1
    elif [ "$parent" != - ]; then
        whole "../$parent/CONTCAR" "../$parent/POSCAR.initial" &&
            start_of_child "../$parent/CONTCAR" POSCAR.initial "$removed" >.POSCAR.new && mv .POSCAR.new POSCAR ||
            { why="the CONTCAR of $parent is broken" && return 1; }
    fi
    for file in POSCAR INCAR KPOINTS; do cp -p "$file" "$(attempt "$number")/$file.start" || return 1; done
}

held() { # somebody runs the last start of this folder at this moment
    local n job file
    n=$(latest)
    [ "$n" -gt 0 ] || return 1
    file=$(attempt "$n")/job.json
    [ -e "$file" ] || { [ -n "$(find "$(attempt "$n")" -maxdepth 0 -newermt '-60 seconds')" ]; return; }
    [ -z "$(field "$file" outcome)" ] || return 1
    job=$(field "$file" job)
    if [ -z "$job" ]; then
        [ "$(field "$file" host)" != "$(hostname)" ] || kill -0 "$(field "$file" pid)" 2>/dev/null
    elif [ "$job" = "${SLURM_JOB_ID:-}" ]; then
        return 1 # an earlier life of this very job
    else
        [ -n "$(squeue --noheader --job="$job" --format=%A 2>/dev/null)" ]
    fi
}

standing() { # where folder $1 stands, in one word: done, failed, held, waits (for $2, its parent) or free
    local name=$1 parent=$2 state
    cd "$campaign/$name" 2>/dev/null || { echo failed && return; }
    state=$(field state.json state)
    if [ "$state" = done ] || { [ -z "$state" ] && finished .; }; then
        echo 'done'
    elif [ "$state" = failed ] || [ "$state" = needs-you ]; then
        echo failed
    elif held; then
        echo held
    elif [ "$parent" != - ] && [ "$(standing "$parent" -)" != 'done' ]; then
        echo waits
    else
        echo free
    fi
}

folders() { # every folder that stands as $1 says, one row of the table each
    local row name _ parent
    while IFS= read -r row; do
        IFS=$'\t' read -r name _ _ parent _ <<<"$row"
        [ "$(standing "$name" "$parent")" != "$1" ] || echo "$row"
    done < <(tail -n +2 "$campaign/calculations.tsv")
}

time_is_nearly_over() { # Slurm says so ten minutes before it is
    stopped=yes
    [ -z "$vasp" ] || echo 'LSTOP = .TRUE.' >STOPCAR
    say "time is nearly over${vasp:+, VASP is asked to stop}"
}

run_vasp_until_its_end() {
    run_vasp "$binary" >vasp.out 2>std_err.txt &
    vasp=$!
    wait $vasp
    status=$?
    while kill -0 $vasp 2>/dev/null; do # the signal ends `wait`, not VASP
        wait $vasp
        status=$?
    done
    vasp=''
}

settle() { # judge the run that ended here, and write down where the folder stands
    local why words
    why=$(unfinished .)
    words=$(cat std_err.txt vasp.out 2>/dev/null | grep -iE 'error|fatal|bad news|not hermitian|killed|not found' | tail -n 1)
    if [ -z "$why" ]; then
        record_attempt 'done' && record 'done'
    elif [ "$stopped" ]; then
        record_attempt stopped "stopped before the time limit" && record waiting "stopped before the time limit; goes on"
    else
        why="$why (exit code $status)${words:+: $words}"
        [ "$(df --output=avail . | tail -n 1)" -ge 64 ] || why="no space left on the disk; $why"
        record_attempt again "$why"
        if [ "$(bad_starts)" -ge "$TRIES" ]; then
            record failed "$TRIES starts ended badly; the last: $why"
        else
            record waiting "$why"
        fi
    fi
}

run_one() { # one start of one folder; 1 when somebody else has it
    local number started status why=''
    cd "$campaign/$name" || return 1
    number=$(latest) # before the look at how it stands: whoever starts it after that look takes our number
    [ "$(standing "$name" "$parent")" = free ] || return 1
    if [ ! -s POTCAR ]; then
        record needs-you "no POTCAR; POTCAR.spec names the datasets to join, in this order"
        return 0
    fi
    if [ "$(bad_starts)" -ge "$TRIES" ]; then
        record failed "$TRIES starts ended badly; the last: $(field state.json reason)"
        return 0
    fi
    number=$((number + 1)) started=$(date +%s)
    mkdir -p attempts && mkdir "$(attempt $number)" 2>/dev/null || return 1 # only one of two rivals can make it
    record_attempt '' && record running
    if prepare; then
        run_vasp_until_its_end
        settle
    else
        record_attempt again "${why:=its files could not be put in place}"
        record needs-you "$why"
    fi
}

slot() { # one folder after the other, until nothing is free or the time is over
    local row name _ binary parent removed passed=''
    trap time_is_nearly_over USR1
    while [ -z "$stopped" ]; do
        row=$(folders free | grep -vxF "${passed:-$'\t'}" | head -n 1)
        [ "$row" ] || break
        IFS=$'\t' read -r name _ binary parent removed <<<"$row"
        run_one || passed+=${passed:+$'\n'}$row # taken by another slot meanwhile
        more_slots 1 >/dev/null 2>&1            # a parent that is done may have set its children free
    done
    [ -z "$stopped" ] || scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
}

more_slots() { # a job for every free folder but $1, SLOTS at most, fewer where the cluster takes no more
    local wanted queued job
    wanted=$(($(folders free | wc -l) - ${1:-0}))
    queued=$(squeue --noheader --array --name="$label.slots" --user="$(id -u)" --format=%A 2>/dev/null | wc -l)
    [ $((wanted + queued)) -le "$SLOTS" ] || wanted=$((SLOTS - queued))
    mkdir -p "$campaign/slurm"
    while [ "$wanted" -gt 0 ]; do
        if job=$(cd "$campaign" && NANOSLAB_CAMPAIGN=$campaign NANOSLAB_SCRIPT=$script sbatch --parsable \
            --job-name="$label.slots" --chdir="$campaign" --output=slurm/%A_%a.out --array="1-$wanted" "$script" 2>&1); then
            say "job ${job%%;*}: $wanted slots"
            return 0
        fi
        wanted=$((wanted / 2)) # a quota perhaps: fewer will do, they take one folder after the other
    done
    [ -z "${job:-}" ] || echo "submit.sh: the queue refuses: $job" >&2
    [ -z "${job:-}" ]
}

forgive() { # folders that failed get new tries
    local name number
    while IFS=$'\t' read -r name _; do
        cd "$campaign/$name" || continue
        number=$(latest)
        write_line state.json "{\"schema\": 1, \"state\": \"waiting\", \"reason\": \"to be tried again\", \
\"attempt\": $number, \"tries_from\": $number, \"since\": $(date +%s)}"
    done < <(folders failed)
}

if [ -n "${SLURM_ARRAY_TASK_ID:-}" ]; then
    slot
    exit 0
fi
case ${1:-} in
--list) (folders free && folders waits) | cut -f1 ;;
--retry) forgive && more_slots ;;
*)
    more_slots || exit 2
    echo "$(folders 'done' | wc -l) done, $(folders failed | wc -l) failed, $(folders held | wc -l) running," \
        "$(folders free | wc -l) free, $(folders waits | wc -l) waiting for another"
    ;;
esac
