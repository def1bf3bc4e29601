"""Questions from standard input, whatever it is: a socket is what Node.js and some daemons give."""

import json
import socket
import subprocess
from pathlib import Path

from shell import PROGRAM


def test_questions_come_through_a_socket(golden_folder: Path, bundle_folder: Path) -> None:
    ours, theirs = socket.socketpair()
    command = [PROGRAM, "--video", golden_folder / "clip.avi", "--model", bundle_folder]
    command += ["--plan", "uniform:4", "--set", "memory.policy=keep_all"]
    command += ["--max-new-tokens", "3", "--format", "jsonl", "--questions", "-"]
    with (
        ours,
        theirs,
        subprocess.Popen(
            [str(word) for word in command], stdin=theirs, stdout=subprocess.PIPE, text=True
        ) as program,
    ):
        ours.sendall(b'{"question": "Who?"}\n{"question": "Where?"}\n')
        ours.shutdown(socket.SHUT_WR)
        answers, _ = program.communicate(timeout=120)
    assert program.returncode == 0
    assert [json.loads(line)["question"] for line in answers.splitlines()] == ["Who?", "Where?"]
