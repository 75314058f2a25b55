#!/bin/sh
# srun sh slurm_worker.sh COMMAND...: COMMAND with the TF_CONFIG of this node, one task on each.
set -eu
workers=$(scontrol show hostnames "$SLURM_STEP_NODELIST" |
    awk '{ printf "%s\"%s:%d\"", (NR > 1 ? ", " : ""), $1, 8888 + NR - 1 }')
task="{\"type\": \"worker\", \"index\": $SLURM_PROCID}"
export TF_CONFIG="{\"cluster\": {\"worker\": [$workers]}, \"task\": $task}"
exec "$@"
