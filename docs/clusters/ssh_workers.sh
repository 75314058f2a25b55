#!/usr/bin/env bash
# ssh_workers.sh HOST:PORT HOST:PORT ... -- COMMAND..., such as
#   ssh_workers.sh host1:2222 host2:2222 -- kgan train photos/ --name photos
#   ssh_workers.sh host1:2222 host2:2222 -- kgan train --resume runs/photos
# Runs COMMAND on each host by ssh, in the folder of this name there, with a TF_CONFIG of its own.
# It ends when all have ended, with the first exit code that is not 0.
set -euo pipefail
workers=()
while [ "$1" != -- ]; do
    workers+=("$1")
    shift
done
shift
listed=$(printf ', "%s"' "${workers[@]}")
command=$(printf '%q ' "$@")
started=()
for index in "${!workers[@]}"; do
    config="{\"cluster\": {\"worker\": [${listed:2}]}, \"task\": {\"type\": \"worker\", \"index\": $index}}"
    there="cd $(printf %q "$PWD") && TF_CONFIG=$(printf %q "$config") $command"
    # shellcheck disable=SC2029 # it is put together here
    ssh "${workers[index]%:*}" "$there" </dev/null &
    started+=($!)
done
code=0
for each in "${started[@]}"; do
    wait "$each" || { ended=$?; [ "$code" -ne 0 ] || code=$ended; }
done
exit "$code"
