#!/bin/bash
# A SLURM of one node on this machine, on the loopback alone: enough to try cluster/slurm before a real cluster does.
# As root, after: apt-get install --no-install-recommends slurm-wlm munge
# cluster/single_node.sh start|stop FOLDER: configuration, state and logs lie there, and /etc/slurm/slurm.conf is a link
set -eu
case "${1:-}" in
  start | stop | conf) ;;
  *) echo "start or stop, not '${1:-}'" >&2 && exit 2 ;;
esac
name=$(hostname)
folder=$(realpath -m "${2:?a folder for its configuration, state and logs}")
link=/etc/slurm/slurm.conf
case "$folder" in *[[:space:]]*) echo "SLURM knows no paths with spaces: '$folder'." >&2 && exit 2 ;; esac

conf() {
  cat <<CONF
ClusterName=alone
SlurmctldHost=$name(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=root
AuthType=auth/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
# a job that takes more memory than it asked for is ended, without control groups as well
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=2
JobAcctGatherParams=OverMemoryKill
SchedulerParameters=batch_sched_delay=1,sched_interval=2
# no accounting: what became of a job is asked of squeue, so finished jobs have to be remembered for a while
MinJobAge=600
ReturnToService=2
NodeName=$name NodeAddr=127.0.0.1 CPUs=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc) RealMemory=$(awk '/MemTotal/ {print int($2 / 1024)}' /proc/meminfo) State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
}

start() {
  for part in munged slurmctld slurmd; do
    [ -n "$(PATH=$PATH:/usr/sbin type -P $part)" ] ||
      { echo "$part is missing: apt-get install --no-install-recommends slurm-wlm munge" >&2; exit 1; }
  done
  [ "$(id -u)" = 0 ] || { echo "SLURM's daemons have to be started as root." >&2; exit 1; }
  [ ! -e "$link" ] || { echo "$link is there: this machine has a SLURM already." >&2; exit 1; }
  mkdir -p "$folder/state" "$folder/spool"
  [ -e /etc/munge/munge.key ] || mungekey --create
  chown munge: /etc/munge/munge.key
  mkdir -p /run/munge && chown munge: /run/munge
  if ! pgrep -x munged >/dev/null; then
    runuser -u munge -- /usr/sbin/munged
    ln -sf /run/munge/munged.pid "$folder/munged.pid"
  fi
  conf >"$folder/slurm.conf"
  # a step of a job is asked for without SLURM_CONF, so the file has to be where everyone looks
  ln -sfn "$folder/slurm.conf" "$link"
  slurmctld && slurmd
  for _ in $(seq 60); do
    [ "$(sinfo -h -o %T 2>/dev/null)" = idle ] && { sinfo; return; }
    sleep 1
  done
  echo "The node isn't idle after a minute: see $folder/slurmctld.log and $folder/slurmd.log." >&2
  stop
  exit 1
}

stop() {
  if [ "$(readlink "$link")" != "$folder/slurm.conf" ]; then
    echo "No SLURM was started with $folder." >&2
    exit 1
  fi
  scancel --partition=all || true
  for _ in $(seq 40); do [ -z "$(squeue -h)" ] || sleep 1; done
  for part in slurmd slurmctld munged; do
    [ -e "$folder/$part.pid" ] || continue
    number=$(cat "$folder/$part.pid")
    kill "$number"
    for _ in $(seq 40); do kill -0 "$number" 2>/dev/null && sleep 0.5; done
    rm -f "$folder/$part.pid"
  done
  rm "$link"
}

"$1"
