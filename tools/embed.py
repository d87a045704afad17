#!/usr/bin/env python3
"""Turns a folder into a C file: struct embedded_file tables, sorted by path (see src/lab/labs.h).

usage: embed.py FOLDER OUT.c

Every regular file below FOLDER is taken, with its path relative to it. The output depends only on names and
contents, so the same tree gives the same C file.
"""
import os
import sys


def c_bytes(data):
    lines = []
    for i in range(0, len(data), 24):
        lines.append("\t" + " ".join("%d," % b for b in data[i:i + 24]))
    return "\n".join(lines)


def main():
    top, out = sys.argv[1], sys.argv[2]
    paths = []
    for folder, dirs, files in os.walk(top):
        dirs.sort()
        paths += [os.path.relpath(os.path.join(folder, f), top).replace(os.sep, "/")
                  for f in files if not f.startswith(".")]
    paths.sort(key=lambda p: p.encode())
    parts = ["/* Made by tools/embed.py. */\n", '#include "lab/labs.h"\n\n']
    for n, path in enumerate(paths):
        with open(os.path.join(top, path), "rb") as f:
            data = f.read()
        # A NUL behind each, so that text can be used as a string.
        parts.append("static const uint8_t file_%d[] = {\n%s\n\t0,\n};\n" % (n, c_bytes(data)))
    parts.append("const struct embedded_file lab_embedded[] = {\n")
    for n, path in enumerate(paths):
        parts.append('\t{ "%s", file_%d, sizeof(file_%d) - 1 },\n' % (path, n, n))
    parts.append("};\nconst size_t lab_n_embedded = sizeof(lab_embedded) / sizeof(lab_embedded[0]);\n")
    with open(out, "w", encoding="ascii") as f:
        f.write("".join(parts))
    if len(sys.argv) > 3:  # a depfile: the build comes again when a file changes or a folder gains one
        folders = [folder for folder, _, _ in os.walk(top)]
        with open(sys.argv[3], "w", encoding="utf-8") as f:
            names = [os.path.join(top, p) for p in paths] + folders
            f.write(out + ": " + " ".join(n.replace(" ", "\\ ") for n in names) + "\n")


if __name__ == "__main__":
    main()
