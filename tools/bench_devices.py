#!/usr/bin/env python3
"""Measures what training on several devices costs beyond the work itself, on this machine's cores.

    .venv/bin/python tools/bench_devices.py [--preset dcgan] [--size 32x32x3] [--filters 32]
        [--batch-size 64] [--steps 20] [--rounds 3]

The same global batch on one device, on 2 and 4 logical devices under MirroredStrategy and in 2
processes under MultiWorkerMirroredStrategy on 127.0.0.1. All have the same cores and the same
work, so that each would be as fast as one device if nothing were lost. Beside them one device
with the part of a batch that a replica has, as many times: what smaller batches alone cost; the
rest is what the replicas do for each other. All take turns, round after round. Of the traced
step it counts the sums over replicas, and the numbers that the gradients have.
"""

import argparse
import json
import math
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# Name -> (processes, devices of each, parts of a batch that one device takes one after another).
ARRANGEMENTS = {
    "one device": (1, 1, 1),
    "one device, halves in turn": (1, 1, 2),
    "2 logical devices": (1, 2, 1),
    "one device, quarters in turn": (1, 1, 4),
    "4 logical devices": (1, 4, 1),
    "2 processes": (2, 1, 1),
}
WARM_STEPS = 3
SENDING = ("CollectiveReduceV2", "CollectiveReduceV3", "NcclAllReduce")


def work(order):
    """One process: makes the model, warms up, then a turn for each line of stdin."""
    import keras
    import tensorflow as tf

    import kgan

    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    if order["devices"] > 1:
        devices = [tf.config.LogicalDeviceConfiguration()] * order["devices"]
        tf.config.set_logical_device_configuration(
            tf.config.list_physical_devices("CPU")[0], devices
        )
    if "TF_CONFIG" in os.environ:
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    elif order["devices"] > 1:
        names = [device.name for device in tf.config.list_logical_devices("CPU")]
        strategy = tf.distribute.MirroredStrategy(names)
    else:
        strategy = tf.distribute.get_strategy()
    keras.utils.set_random_seed(0)
    with strategy.scope():
        gan = kgan.GAN.from_preset(
            order["preset"], image_shape=order["size"], filters=order["filters"], seed=0
        )
        gan.compile(jit_compile=False)
    batch = order["batch_size"] // order["parts"]
    images = tf.random.uniform((batch, *order["size"]), -1.0, 1.0)
    data = tf.data.Dataset.from_tensors(images).repeat()
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    data = data.with_options(options)

    def fit(steps):
        gan.fit(data, steps_per_epoch=steps * order["parts"], verbose=0)

    fit(WARM_STEPS)
    answers.write(json.dumps(sent(gan, images, order["devices"])) + "\n")
    for line in sys.stdin:
        begun = time.perf_counter()
        fit(int(line))
        answers.write(f"{time.perf_counter() - begun}\n")


def sent(gan, images, devices):
    """What a replica's step sends: {"sums", "numbers"}: sums of its graph, gradients' numbers."""
    import tensorflow as tf

    strategy = gan.distribute_strategy
    images = images[: len(images) // strategy.num_replicas_in_sync]
    step = tf.function(lambda: strategy.run(gan.train_step, args=(images,)))
    graph = step.get_concrete_function().graph.as_graph_def()
    nodes = [*graph.node, *(node for part in graph.library.function for node in part.node_def)]
    sums = sum(node.op in SENDING for node in nodes) // devices
    numbers = sum(math.prod(v.shape) for v in gan.trainable_variables)
    return {"sums": sums, "numbers": numbers}


class Team:
    """The processes of one arrangement."""

    def __init__(self, name, order):
        processes, devices, parts = ARRANGEMENTS[name]
        order = order | {"processes": processes, "devices": devices, "parts": parts}
        ports = [free_port() for _ in range(processes)]
        self.processes = []
        self.errors = tempfile.TemporaryFile()
        for index in range(processes):
            environment = dict(os.environ)
            if processes > 1:
                cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
                task = {"type": "worker", "index": index}
                environment["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": task})
            command = [sys.executable, __file__, "--work", json.dumps(order)]
            self.processes.append(
                subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self.errors,
                    text=True,
                    env=environment,
                )
            )
        self.sent, *_ = [json.loads(self.answer(process)) for process in self.processes]

    def answer(self, process):
        """A line of a process; what it complained of, where it has ended."""
        line = process.stdout.readline()
        if not line:
            self.errors.seek(0)
            raise SystemExit(self.errors.read().decode(errors="replace")[-2000:])
        return line

    def turn(self, steps):
        """Seconds of a step."""
        for process in self.processes:
            process.stdin.write(f"{steps}\n")
            process.stdin.flush()
        return max(float(self.answer(process)) for process in self.processes) / steps

    def stop(self):
        """Ends them."""
        for process in self.processes:
            process.stdin.close()
        for process in self.processes:
            process.wait()


def free_port():
    """A port that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def main():
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="dcgan")
    parser.add_argument("--size", default="32x32x3")
    parser.add_argument("--filters", type=int, default=32)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(json.loads(arguments.work))
        return
    order = {name: getattr(arguments, name) for name in ("preset", "filters", "batch_size")}
    order["size"] = [int(side) for side in arguments.size.split("x")]
    if arguments.batch_size % 4:
        parser.error(f"the batch is split in 2 and 4 equal parts. Received: {arguments.batch_size}")
    teams = {}
    try:
        for name in ARRANGEMENTS:
            teams[name] = Team(name, order)
        taken = {name: [] for name in teams}
        for _ in range(arguments.rounds):
            for name, team in teams.items():
                taken[name].append(team.turn(arguments.steps))
    finally:
        for team in teams.values():
            team.stop()
    from training_speed.machine import describe

    print(describe())
    print(
        f"\n{arguments.preset} {arguments.size}, filters {arguments.filters}, global batch "
        f"{arguments.batch_size}, {arguments.rounds} turns of {arguments.steps} steps, gradients "
        f"of {teams['one device'].sent['numbers']:,} numbers"
    )
    print("\n| | ms a step | efficiency | sums over replicas |\n|---|---|---|---|")
    for name, team in teams.items():
        ratios = [one / own for one, own in zip(taken["one device"], taken[name], strict=True)]
        cells = (f"{1000 * statistics.median(taken[name]):.0f}", f"{statistics.median(ratios):.2f}")
        print(f"| {name} | {' | '.join(cells)} | {team.sent['sums']} |")


if __name__ == "__main__":
    main()
