# culver itself

$ culver
culver: which command? (see: culver help)
? 2
$ culver nosuch
culver: no command 'nosuch' (see: culver help)
? 2
$ culver help nosuch
culver: help: no command 'nosuch' (see: culver help)
? 2
$ culver --version | sed -E 's/[0-9]+\.[0-9]+\.[0-9]+/N/'
culver N
$ culver help | head -3
culver, a TCP/IP network in user space
.
usage:
$ culver visit --help | head -1
usage: culver visit URL [--lab FILE] [--from NODE] [--out DIR] [--seed N] [--repeat N] [--pause S] [--json]
$ culver help lab | head -1
usage: culver lab FILE [-c 'NODE COMMAND ARG...']... [--out DIR] [--seed N]
