"""scripts/slurm/eval.sbatch on a real Slurm: a controller and three nodes on this machine, as root.

A job array of three shards; one task is killed in the middle and requeued. Merged, the shards are
byte for byte what one run gives. Exit code 77: Slurm is not installed, or we are not root.

python tests/slurm/test_array.py PROGRAM
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NODES = 3
FILMS = 90
SKIPPED = 77

CONFIG = """
ClusterName=moviechat
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=10
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=5,sched_min_interval=0
JobRequeue=1
NodeName=n[1-{nodes}] NodeHostname={host} NodeAddr=127.0.0.1 Port=[{first}-{last}] CPUs=1
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def wait_for(what: str, found: Callable[[], Any], seconds: float = 60) -> Any:
    """The first true value of found()."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.05)
    raise SystemExit(f"waited {seconds} s for {what}")


def free_ports(count: int) -> int:
    """The first of some consecutive free ports."""
    for first in range(17000, 30000, count):
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
    raise SystemExit("no free ports")


class Cluster:
    """munged, slurmctld and a slurmd a node, with all their files in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.daemons: list[subprocess.Popen[bytes]] = []
        first = free_ports(NODES + 1)
        host = socket.gethostname().split(".")[0]
        text = CONFIG.format(
            folder=folder,
            host=host,
            nodes=NODES,
            ports=[first],
            first=first + 1,
            last=first + NODES,
        )
        (folder / "slurm.conf").write_text(text)
        (folder / "state").mkdir()
        self.environment = os.environ | {"SLURM_CONF": str(folder / "slurm.conf")}

    def __enter__(self) -> Cluster:
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        files = {name: self.folder / f"munge.{name}" for name in ("socket", "pid", "log", "seed")}
        self.start(
            *("munged", "--foreground", "--force", f"--key-file={key}"),
            f"--socket={files['socket']}",
            f"--pid-file={files['pid']}",
            f"--log-file={files['log']}",
            f"--seed-file={files['seed']}",
        )
        wait_for("munged", files["socket"].exists)
        self.start("slurmctld", "-D")
        for node in range(1, NODES + 1):
            (self.folder / f"spool.n{node}").mkdir()
            self.start("slurmd", "-D", "-N", f"n{node}")
        wait_for("idle nodes", lambda: self.run("sinfo", "-h", "-o", "%t %D") == f"idle {NODES}")
        return self

    def start(self, *command: str) -> None:
        log = (self.folder / f"{command[0]}.out").open("ab")
        self.daemons.append(
            subprocess.Popen(
                command, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        )

    def run(self, *command: str) -> str:
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        return done.stdout.strip()

    def __exit__(self, *_: object) -> None:
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()


def make_films(folder: Path) -> list[str]:
    """Short films with questions → arguments of an eval of them."""
    for name in ("videos", "annotations"):
        (folder / name).mkdir()
    first = folder / "videos" / "1.mp4"
    source = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=10:d=2", "-c:v", "mpeg4"]
    subprocess.run(["ffmpeg", "-v", "error", *source, str(first)], check=True)
    for number in range(1, FILMS + 1):
        film = folder / "videos" / f"{number}.mp4"
        if film != first:
            film.symlink_to(first)
        text = {
            "info": {"video_path": film.name},
            "global": [{"question": f"What is in film {number}?", "answer": "Boxes."}],
            "breakpoint": [{"time": number % 20, "question": "What is seen?", "answer": "A box."}],
        }
        (folder / "annotations" / f"{number}.json").write_text(json.dumps(text))
    arguments = ["--dataset", "moviechat-1k", "--annotations", str(folder / "annotations")]
    arguments += ["--videos", str(folder / "videos"), "--plan", "uniform:4", "--quiet"]
    return [*arguments, "--set", "memory.consolidation=never", "--max-new-tokens", "6"]


def process_of(task: int) -> int | None:
    """The moviechat of an array task."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if (path / "comm").read_text().strip() != "moviechat":
                continue
            if f"SLURM_ARRAY_TASK_ID={task}\0".encode() in (path / "environ").read_bytes():
                return int(path.name)
        except OSError:
            continue
    return None


def state(cluster: Cluster, task: str) -> str:
    """Slurm's word for a task: RUNNING, FAILED, COMPLETED."""
    words = cluster.run("scontrol", "show", "job", task).split()
    return next((word[9:] for word in words if word.startswith("JobState=")), "")


def main() -> None:
    missing = [name for name in ("munged", "slurmctld", "slurmd") if not shutil.which(name)]
    if missing or os.geteuid() != 0:
        print(f"skipped: {'not root' if not missing else 'not installed: ' + ', '.join(missing)}")
        raise SystemExit(SKIPPED)
    program = sys.argv[1]
    os.environ |= {"MOVIECHAT": program, "OMP_NUM_THREADS": "1"}
    os.environ["MOVIECHAT_MODEL"] = str(ROOT / "tests" / "data" / "tiny_bundle")
    with tempfile.TemporaryDirectory(prefix="moviechat-slurm-") as name:
        folder = Path(name)
        arguments = make_films(folder)
        subprocess.run([program, "eval", *arguments, "--out", str(folder / "whole")], check=True)
        with Cluster(folder) as cluster:
            job = run_array(cluster, folder, arguments)
            print(f"job {job}: {NODES} shards done, one of them killed and requeued")
        shards = [str(path) for path in sorted((folder / "run").glob("shard-*"))]
        merged = folder / "merged"
        subprocess.run([program, "merge", *shards, "--out", str(merged)], check=True)
        one, other = (
            (path / "predictions.jsonl").read_bytes() for path in (folder / "whole", merged)
        )
        if one != other:
            raise SystemExit("the merged shards differ from the whole run")
        print(f"{len(shards)} shards merged: {len(one)} bytes, the same as the whole run's")


def run_array(cluster: Cluster, folder: Path, arguments: list[str]) -> str:
    """Submits the array, kills its second task amid its work and requeues it; the job's id."""
    script = str(ROOT / "scripts" / "slurm" / "eval.sbatch")
    options = ["--parsable", f"--array=1-{NODES}", "--gres=none", f"--chdir={folder}"]
    job = cluster.run("sbatch", *options, script, *arguments, "--out", str(folder / "run"))
    if not job.isdigit():
        raise SystemExit("sbatch took no job; see slurmctld.log")
    rows = folder / "run" / f"shard-2-of-{NODES}" / "predictions.jsonl"
    wait_for("the second shard's first row", lambda: rows.exists() and rows.stat().st_size > 0)
    victim = process_of(2)
    if victim is None:
        raise SystemExit("the second task was done before it could be killed")
    os.kill(victim, signal.SIGKILL)
    done = rows.read_bytes().count(b"\n")
    task = f"{job}_2"
    wait_for("the end of the killed task", lambda: state(cluster, task) == "FAILED")
    cluster.run("scontrol", "requeue", task)
    wait_for("the requeued task", lambda: state(cluster, task) in ("PENDING", "RUNNING"))
    cluster.run("scontrol", "update", f"JobId={task}", "StartTime=now")
    for number in range(1, NODES + 1):
        one = f"{job}_{number}"
        wait_for(f"task {one}", lambda one=one: state(cluster, one) == "COMPLETED", 90)
    whole = rows.read_bytes().count(b"\n")
    if not 0 < done < whole:
        raise SystemExit(f"the task was not killed amid its work: {done} of {whole} rows")
    print(f"the second task was killed after {done} of {whole} rows")
    return job


if __name__ == "__main__":
    main()
