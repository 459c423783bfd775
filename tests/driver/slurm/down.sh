#!/bin/bash
# End the daemons that up.sh started in a folder, and nothing else: the node first, the authentication last.
set -u
folder=$(realpath -m "$1")
export SLURM_CONF=$folder/slurm.conf
[ ! -e "$folder/environment" ] || timeout 10 scancel --user="$(id -un)" 2>/dev/null

is_ours() { # the process number may belong to somebody else by now
    [ "$(cat "/proc/$1/comm" 2>/dev/null)" = "$2" ] && ! grep -qs '^State:[[:space:]]*Z' "/proc/$1/status"
}

for name in slurmd slurmctld slurmdbd mariadbd munged; do
    [ -e "$folder/pids/$name" ] || continue
    pid=$(cat "$folder/pids/$name")
    for signal in TERM TERM KILL; do
        is_ours "$pid" "$name" || break
        kill -s $signal "$pid"
        for _ in $(seq 50); do
            is_ours "$pid" "$name" || break
            sleep 0.1
        done
    done
    rm -f "$folder/pids/$name"
done
exit 0
