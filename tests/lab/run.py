#!/usr/bin/env python3
"""Runs a transcript and compares it, to the byte, with what it says.

usage: run.py CULVER FILE.t [--update]

A transcript looks like a terminal:

    # a comment
    $ culver visit https://www.server.com/
    culver: ... (standard output and error, as they come)
    ? 2

"$ " begins a command (run by sh -e in an empty folder, with culver in the PATH and the transcript's own folder as
$HERE; "> " continues it), the lines after it are what it prints, and "? N" is its exit code where that is not 0.
--update writes what came instead.
"""
import difflib
import os
import subprocess
import sys
import tempfile


def blocks(text):
    """Split into [comment lines] and [command lines]; expected output is thrown away."""
    out = []
    lines = text.split("\n")[:-1]
    i = 0
    while i < len(lines):
        if not lines[i].startswith("$ "):
            out.append((None, lines[i]))
            i += 1
            continue
        cmd = [lines[i][2:]]
        i += 1
        while i < len(lines) and lines[i].startswith("> "):
            cmd.append(lines[i][2:])
            i += 1
        while i < len(lines) and not lines[i].startswith(("$ ", "# ")) and lines[i] != "":
            i += 1
        out.append((cmd, None))
    return out


def run(cmd, env, cwd):
    p = subprocess.run(["sh", "-e", "-c", "\n".join(cmd)], cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False)
    return p.returncode, p.stdout.decode("utf-8", "backslashreplace").replace("\r", "\\r")


def main():
    culver, path = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    with open(path, encoding="utf-8") as f:
        want = f.read()
    env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM")}
    env["PATH"] = os.path.dirname(culver) + ":" + env.get("PATH", "/usr/bin:/bin")
    env["HERE"] = os.path.dirname(path)
    env["LC_ALL"] = "C.UTF-8"
    got = []
    with tempfile.TemporaryDirectory(prefix="culver-lab-") as cwd:
        for cmd, other in blocks(want):
            if cmd is None:
                got.append(other)
                continue
            got.append("$ " + cmd[0])
            got += ["> " + c for c in cmd[1:]]
            code, text = run(cmd, env, cwd)
            # An empty line or a comment ends the expected output: inside it, one is a lone dot, the other indented.
            got += [" " + line if line.startswith("# ") else line or "." for line in text.split("\n")[:-1]]
            if text and not text.endswith("\n"):
                got.append(text.split("\n")[-1] + " (no newline)")
            if code:
                got.append("? %d" % code)
    got = "\n".join(got) + "\n"
    if got == want:
        return 0
    if "--update" in sys.argv:
        with open(path, "w", encoding="utf-8") as f:
            f.write(got)
        return 0
    sys.stdout.writelines(difflib.unified_diff(want.splitlines(True), got.splitlines(True), path, "what came"))
    return 1


if __name__ == "__main__":
    sys.exit(main())
