#!/bin/bash
# A SLURM of one node on this machine, on the loopback alone: enough to try cluster/slurm before a real cluster does.
# As root, after: apt-get install --no-install-recommends slurm-wlm munge
# cluster/single_node.sh start|stop FOLDER: configuration, state and logs lie there, and /etc/slurm/slurm.conf is a link
set -eu
folder=$(realpath -m "${2:?a folder for its configuration, state and logs}")
link=/etc/slurm/slurm.conf

start() {
  [ ! -e "$link" ] || { echo "$link is there: this machine has a SLURM already." >&2; exit 1; }
  mkdir -p "$folder/state" "$folder/spool"
  [ -e /etc/munge/munge.key ] || mungekey --create
  chown munge: /etc/munge/munge.key
  mkdir -p /run/munge && chown munge: /run/munge
  pgrep -x munged >/dev/null || runuser -u munge -- /usr/sbin/munged
  # no accounting: what became of a job is asked of squeue, so finished jobs have to be remembered for a while
  cat >"$folder/slurm.conf" <<CONF
ClusterName=alone
SlurmctldHost=$(hostname)(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
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
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=1,sched_interval=2
MinJobAge=600
ReturnToService=2
NodeName=$(hostname) NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$(awk '/MemTotal/ {print int($2 / 1024)}' /proc/meminfo) State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
  # a step of a job is asked for without SLURM_CONF, so the file has to be where everyone looks
  ln -s "$folder/slurm.conf" "$link"
  slurmctld && slurmd
  for _ in $(seq 60); do
    [ "$(sinfo -h -o %T 2>/dev/null)" = idle ] && { sinfo; return; }
    sleep 1
  done
  echo "The node isn't idle after a minute: see $folder/slurmctld.log and $folder/slurmd.log." >&2
  exit 1
}

stop() {
  for part in slurmd slurmctld; do
    if [ -e "$folder/$part.pid" ]; then kill "$(cat "$folder/$part.pid")"; fi
  done
  if [ "$(readlink "$link")" = "$folder/slurm.conf" ]; then rm "$link"; fi
}

case "${1:-}" in
  start | stop) "$1" ;;
  *) echo "start or stop, not '${1:-}'" >&2 && exit 2 ;;
esac
