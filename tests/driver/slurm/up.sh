#!/bin/bash
# A Slurm of one node, for the tests: real daemons, this machine's loopback only, everything below one folder.
#
#   up.sh FOLDER FIRST_PORT [CPUS] [accounting [MAX_SUBMIT_JOBS]]
#   . FOLDER/environment        then sbatch, squeue and the rest talk to it
#   down.sh FOLDER              ends exactly these daemons
#
# Needs Debian's slurm-wlm and munge; with 'accounting' also slurmdbd and mariadb-server. Runs as any user.
set -eu
folder=$(realpath -m "$1") port=$2 cpus=${3:-4} accounting=${4:-} most=${5:-}
user=$(id -un) node=$(hostname -s)
mkdir -p "$folder"/{pids,logs,state,spool,munge,database}
chmod 755 "$folder" "$folder/munge"
socket=$folder/munge/socket

daemon() { # NAME COMMAND...: start it, remember its process
    local name=$1
    shift
    "$@" >"$folder/logs/$name.txt" 2>&1 </dev/null &
    echo $! >"$folder/pids/$name"
}

until_true() { # SECONDS COMMAND...: wait for it
    local tries=$(($1 * 10))
    shift
    while ! timeout 5 "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        if [ $tries -le 0 ]; then
            echo "up.sh: this never came true: $*" >&2
            tail -n 3 "$folder"/logs/* >&2
            exit 1
        fi
        sleep 0.1
    done
}

authentication() {
    (umask 077 && head -c 1024 /dev/urandom >"$folder/munge/key")
    daemon munged munged --foreground --force --socket "$socket" --key-file "$folder/munge/key" \
        --pid-file "$folder/munge/pid" --seed-file "$folder/munge/seed" --log-file "$folder/logs/munge.log"
    until_true 10 munge --no-input --socket "$socket"
}

configuration() {
    local memory
    memory=$(($(grep MemTotal /proc/meminfo | tr -dc 0-9) / 1200))
    cat >"$folder/slurm.conf" <<END
ClusterName=tests
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$socket
CommunicationParameters=NoInAddrAny
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/pids/.slurmctld
SlurmdPidFile=$folder/pids/.slurmd
SlurmctldLogFile=$folder/logs/controller.log
SlurmdLogFile=$folder/logs/node.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
JobCompType=jobcomp/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1,sched_min_interval=1000,batch_sched_delay=0,bf_interval=1
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=3
MinJobAge=300
OverTimeLimit=0
NodeName=$node NodeAddr=127.0.0.1 CPUs=$cpus RealMemory=$memory
PartitionName=main Nodes=$node Default=YES MaxTime=1-00:00:00
PartitionName=other Nodes=$node MaxTime=1-00:00:00
END
}

database() {
    local sql="mariadb --no-defaults --user=root --socket=$folder/database/socket" password
    mariadb-install-db --no-defaults --datadir="$folder/database/files" --user="$user" --skip-test-db \
        --auth-root-authentication-method=normal >"$folder/logs/database-install.txt" 2>&1
    daemon mariadbd mariadbd --no-defaults --datadir="$folder/database/files" --user="$user" --skip-networking=0 \
        --bind-address=127.0.0.1 --port=$((port + 3)) --socket="$folder/database/socket" --innodb-buffer-pool-size=32M
    until_true 60 $sql --execute "select 1"
    password=$(od -An -N9 -tx1 /dev/urandom | tr -d ' \n')
    $sql --execute "create database slurm_acct_db; create user 'slurm'@'%' identified by '$password';
        create user 'slurm'@'localhost' identified by '$password';
        grant all on slurm_acct_db.* to 'slurm'@'%'; grant all on slurm_acct_db.* to 'slurm'@'localhost';"
    (umask 077 && cat >"$folder/slurmdbd.conf") <<END
AuthType=auth/munge
AuthInfo=socket=$socket
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort=$((port + 2))
SlurmUser=$user
PidFile=$folder/pids/.slurmdbd
LogFile=$folder/logs/slurmdbd.log
CommunicationParameters=NoInAddrAny
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort=$((port + 3))
StorageUser=slurm
StoragePass=$password
END
    cat >>"$folder/slurm.conf" <<END
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort=$((port + 2))
AccountingStoragePass=$socket
AccountingStorageEnforce=associations,limits
END
    daemon slurmdbd slurmdbd -D
    until_true 60 sacctmgr --noheader list cluster
    {
        sacctmgr --immediate add cluster tests
        sacctmgr --immediate add account everybody cluster=tests
        sacctmgr --immediate add user "$user" account=everybody ${most:+maxsubmitjobs=$most}
        sacctmgr --immediate modify user "$user" set defaultaccount=everybody # root has one of its own
    } >"$folder/logs/accounts.txt" 2>&1
}

export SLURM_CONF=$folder/slurm.conf
authentication
configuration
[ "$accounting" != accounting ] || database
daemon slurmctld slurmctld -D
until_true 30 scontrol ping
daemon slurmd slurmd -D -N "$node"
until_true 30 sh -c 'sinfo --noheader --format=%T | grep -q idle'
echo "export SLURM_CONF=$SLURM_CONF" >"$folder/environment"
