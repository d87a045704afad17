"""A small reader of C source for the house rules: strips comments, finds functions.

It relies on the house's layout (a function's opening brace stands in column 0 on its own line, or ends the line of a
one-line static inline) and is no parser of C in general.
"""
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SRC = os.path.join(ROOT, "src")


def source_files(exts=(".c", ".h"), top=SRC):
    """All source files below top, sorted, as paths relative to the project."""
    found = []
    for folder, dirs, names in os.walk(top):
        dirs.sort()
        found += [os.path.join(folder, n) for n in names if n.endswith(exts)]
    return sorted(os.path.relpath(f, ROOT) for f in found)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


_TOKENS = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def strip(text, strings=True):
    """Comments (and the insides of strings) replaced by blanks; line numbers stay right."""
    def blank(m):
        s = m.group(0)
        if s[0] in "\"'":
            return s[0] + re.sub(r"[^\n]", " ", s[1:-1]) + s[-1] if strings else s
        return re.sub(r"[^\n]", " ", s)
    return _TOKENS.sub(blank, text)


_NAME = re.compile(r"([A-Za-z_]\w*)\s*\(")
_NOT_NAMES = {"__attribute__", "PRINTF_LIKE", "if", "while", "for", "switch", "return", "sizeof"}


class Function:
    def __init__(self, name, first, last, body):
        self.name, self.first, self.last, self.body = name, first, last, body

    @property
    def lines(self):
        return self.last - self.first + 1


def functions(text):
    """The functions defined in text (with comments), as Function objects; lines count from 1."""
    lines = strip(text).split("\n")
    raw = text.split("\n")
    out, i = [], 0
    while i < len(lines):
        if lines[i].startswith("{"):
            # the signature is what stands above, back to a line that ends something
            j = i - 1
            while j >= 0 and lines[j].strip() and not re.search(r"[;}]\s*$|^#", lines[j]):
                j -= 1
            head, first = " ".join(lines[j + 1:i]), j + 1
            k = i + 1
            while k < len(lines) and not lines[k].startswith("}"):
                k += 1
            names = [m for m in _NAME.findall(head) if m not in _NOT_NAMES]
            if names and "=" not in head.split("(")[0]:
                out.append(Function(names[0], first + 1, k + 1, "\n".join(raw[i:k + 1])))
            i = k
        i += 1
    return out
