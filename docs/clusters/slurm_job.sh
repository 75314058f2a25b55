#!/bin/sh
#SBATCH --job-name=kgan
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --requeue
# sbatch slurm_job.sh: one worker on each node, with all of its GPUs. A job that is queued again
# goes on where it was. All nodes must see the folder that it is submitted from.
set -eu
if [ -e runs/photos/config.json ]; then
    set -- --resume runs/photos
else
    set -- photos/ --name photos
fi
srun --kill-on-bad-exit=1 sh slurm_worker.sh kgan train "$@"
