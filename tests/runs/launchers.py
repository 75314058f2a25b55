"""Starts two workers by the files of docs/clusters/, on this machine: what runs them is a shell."""

import os
import subprocess
import sys
import time
from pathlib import Path

import kgan

ROOT = Path(kgan.__file__).parents[1]
FILES = ROOT / "docs" / "clusters"
NEW, AGAIN = "photos/ --name photos", "--resume runs/photos"

# In the place of programs that are not here: they start the same process as those would.
PROGRAMS = {
    "kgan": f"""exec {sys.executable} -m kgan "$@"
""",
    "ssh": """shift
exec sh -c "$*"
""",
    "scontrol": """[ "$1 $2 $3" = "show hostnames node[1-2]" ] && printf 'localhost\\n127.0.0.1\\n'
""",
    # Two tasks: the process of each is in pid.N, what it said in out.N, its exit code in code.N.
    "srun": """shift
export SLURM_STEP_NODELIST='node[1-2]'
for SLURM_PROCID in 0 1; do
    export SLURM_PROCID
    (
        sh -c 'echo $$ > "pid.$SLURM_PROCID"; exec "$@"' task "$@" > "out.$SLURM_PROCID" 2>&1
        echo $? > "code.$SLURM_PROCID"
    ) &
done
wait
""",
}


def environment(place):
    """Variables with which a shell finds `PROGRAMS`, of files that are made in `place`."""
    programs = place / "programs"
    programs.mkdir(exist_ok=True)
    for name, text in PROGRAMS.items():
        file = programs / name
        file.write_text(f"#!/bin/sh\n{text}", encoding="utf-8")
        file.chmod(0o755)
    return os.environ | {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }


def replaced(text, **instead):
    """A file's text with other words in it, each of which was there."""
    for shown, other in instead.items():
        assert shown in text, shown
        text = text.replace(shown, other)
    return text


def start_shell(place, command, **more):
    """A process of a shell in `place`."""
    return subprocess.Popen(
        command,
        cwd=place,
        env=environment(place) | more,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def start_pods(place, new, addresses):
    """The two containers of job.yaml, as Kubernetes starts them; each is kgan's own process."""
    text = (FILES / "job.yaml").read_text(encoding="utf-8")
    block = text[text.index("            - |\n") : text.index("          ports:")]
    script = "\n".join(line[14:] for line in block.splitlines()[1:])
    hosts = {f"kgan-{index}.kgan:2222": address for index, address in enumerate(addresses)}
    script = replaced(script, **hosts, **{NEW: new})
    return [
        start_shell(place, ["sh", "-c", script], JOB_COMPLETION_INDEX=str(index))
        for index in range(2)
    ]


def start_over_ssh(place, arguments, addresses):
    """The process of ssh_workers.sh with two workers."""
    command = ["kgan", "train", *map(str, arguments)]
    return start_shell(place, [str(FILES / "ssh_workers.sh"), *addresses, "--", *command])


def start_job(place, new, port):
    """The process of slurm_job.sh, and a function that waits for the number of one task's."""
    worker = (FILES / "slurm_worker.sh").read_text(encoding="utf-8")
    (place / "slurm_worker.sh").write_text(replaced(worker, **{"8888": str(port)}))
    job = (FILES / "slurm_job.sh").read_text(encoding="utf-8")
    process = start_shell(place, ["sh", "-c", replaced(job, **{NEW: new})])

    def task(index):
        path, deadline = place / f"pid.{index}", time.monotonic() + 300
        while not (path.exists() and path.read_text(encoding="utf-8").strip()):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        return int(path.read_text(encoding="utf-8"))

    return process, task
