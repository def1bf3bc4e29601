"""scripts/slurm/eval.sbatch on a real Slurm: a controller and three nodes on this machine, as root.

A job array of three shards; one task is killed in the middle and requeued. Merged, the shards are
byte for byte what one run gives. Exit code 77: Slurm is not installed, or we are not root.

python tests/slurm/test_array.py PROGRAM
"""

from __future__ import annotations

import contextlib
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
FILMS = 120  # of which the killed task has a third: half a second's work, amid which it dies
SKIPPED = 77
LAST = time.monotonic() + 400  # every wait ends by then: ctest ends the test at 600 s, unexplained

CONFIG = """
ClusterName=moviechat
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=15
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


def wait_for(what: str, found: Callable[[], Any], every: float = 0.05) -> Any:
    """The first true value of found()."""
    start = time.monotonic()
    while time.monotonic() < LAST:
        if value := found():
            return value
        time.sleep(every)
    raise SystemExit(f"waited {time.monotonic() - start:.0f} s for {what}")


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


def processes(kind: str, word: str) -> list[int]:
    """Those with a word among their arguments ("cmdline") or their variables ("environ")."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if word.encode() in (path / kind).read_bytes().split(b"\0"):
                found.append(int(path.name))
    return found


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
        (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")  # looks for no cgroups
        (folder / "state").mkdir()
        outer = ("SLURM_", "SBATCH_")  # of a job that this test may itself be
        kept = {name: word for name, word in os.environ.items() if not name.startswith(outer)}
        self.environment = kept | {"SLURM_CONF": str(folder / "slurm.conf")}

    def __enter__(self) -> Cluster:
        return self

    def boot(self) -> None:
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
        wait_for("munged", lambda: self.alive() and files["socket"].exists())
        self.start("slurmctld", "-D")
        for node in range(1, NODES + 1):
            (self.folder / f"spool.n{node}").mkdir()
            self.start("slurmd", "-D", "-N", f"n{node}")
        idle = ("sinfo", "-h", "-o", "%t %D")
        wait_for("idle nodes", lambda: self.alive() and self.ask(*idle) == f"idle {NODES}")

    def start(self, *command: str) -> None:
        with (self.folder / f"{command[0]}.out").open("ab") as log:
            self.daemons.append(
                subprocess.Popen(
                    command, env=self.environment, stdout=log, stderr=log, start_new_session=True
                )
            )

    def alive(self) -> bool:
        """True; a daemon that ended ends the test."""
        for daemon in self.daemons:
            if daemon.poll() is not None:
                raise SystemExit(f"{daemon.args} ended with {daemon.returncode}")
        return True

    def ask(self, *command: str) -> str:
        """What a command says, also when it fails: Slurm may be busy or not up yet."""
        try:
            done = subprocess.run(
                command, env=self.environment, capture_output=True, text=True, timeout=10
            )
        except subprocess.TimeoutExpired:
            return "no answer in 10 s"
        return (done.stdout + done.stderr).strip()

    def run(self, *command: str) -> str:
        """What a command that must not fail says."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def explain(self) -> None:
        """Prints what one needs to see after a failure; the folder will be gone."""
        for command in ("squeue --all", "sinfo --Node --long", "sinfo -R", "scontrol show job"):
            print(f"== {command}", self.ask(*command.split()), sep="\n")
        for log in sorted(self.folder.glob("*.log")) + sorted(self.folder.glob("*.out")):
            lines = log.read_text(errors="replace").splitlines()[-40:]
            print(f"== the end of {log.name}", *lines, sep="\n")
        sys.stdout.flush()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.explain()
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        for left in processes("environ", f"SLURM_CONF={self.environment['SLURM_CONF']}"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(left, signal.SIGKILL)  # a task outlives its slurmd


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
    return [*arguments, "--set", "memory.policy=keep_all", "--max-new-tokens", "6"]


def rows_of(shard: Path) -> int:
    """How many films a shard has answered about."""
    rows = shard / "predictions.jsonl"
    return rows.read_bytes().count(b"\n") if rows.exists() else 0


def show(cluster: Cluster, task: str) -> dict[str, str]:
    """What Slurm knows of a task: JobState, Restarts, …; nothing while it is too busy to say."""
    words = cluster.ask("scontrol", "show", "job", task).split()
    return dict(word.split("=", 1) for word in words if "=" in word)


def completed(cluster: Cluster, task: str) -> bool:
    """Whether a task is done; one that went wrong will never be, and ends the test."""
    state = show(cluster, task).get("JobState", "")
    if state not in ("", "PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "COMPLETED"):
        raise SystemExit(f"task {task} is {state}, expected COMPLETED")
    return state == "COMPLETED"


def main() -> None:
    missing = [name for name in ("munged", "slurmctld", "slurmd") if not shutil.which(name)]
    if missing or os.geteuid() != 0:
        print(f"skipped: {'not root' if not missing else 'not installed: ' + ', '.join(missing)}")
        raise SystemExit(SKIPPED)
    program = str(Path(sys.argv[1]).resolve())
    os.environ |= {"MOVIECHAT": program, "OMP_NUM_THREADS": "1"}
    os.environ["MOVIECHAT_MODEL"] = str(ROOT / "tests" / "data" / "tiny_bundle")
    with tempfile.TemporaryDirectory(prefix="moviechat-slurm-") as name:
        folder = Path(name)
        arguments = make_films(folder)
        subprocess.run([program, "eval", *arguments, "--out", str(folder / "whole")], check=True)
        with Cluster(folder) as cluster:
            cluster.boot()
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
    shard = folder / "run" / f"shard-2-of-{NODES}"
    task = f"{job}_2"
    # Found while it loads its model, so that nothing lies between its first row and the kill.
    victim, *_ = wait_for("the second task", lambda: processes("cmdline", str(shard)))
    wait_for("its first row", lambda: rows_of(shard) > 0 and cluster.alive(), every=0.005)
    with contextlib.suppress(ProcessLookupError):
        os.kill(victim, signal.SIGKILL)
    ended = ("FAILED", "COMPLETED")
    wait_for("its end", lambda: show(cluster, task).get("JobState") in ended)
    exit_code = show(cluster, task)["ExitCode"]  # status:signal
    if exit_code != f"0:{signal.SIGKILL}":
        raise SystemExit(f"the second task ended with {exit_code} before it could be killed")
    done = rows_of(shard)
    cluster.run("scontrol", "requeue", task)
    # Slurm starts it after cred_expire seconds. Not to be hurried with StartTime=now: a node takes
    # a task that starts in the very second of its end for the one that ended, and it fails for good
    # ("Killing non-startable batch job: Job credential revoked").
    for number in range(1, NODES + 1):
        one = f"{job}_{number}"
        wait_for(f"task {one}", lambda one=one: completed(cluster, one))
    restarts, whole = show(cluster, task)["Restarts"], rows_of(shard)
    if restarts != "1":
        raise SystemExit(f"the killed task was started again {restarts} times, expected once")
    if not 0 < done < whole:
        raise SystemExit(f"the task was not killed amid its work: {done} of {whole} rows")
    print(f"the second task was killed after {done} of {whole} rows")
    return job


if __name__ == "__main__":
    main()
