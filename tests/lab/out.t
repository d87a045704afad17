# --out: all files or none.

$ mkdir ro; culver visit http://www.server.com/small.html --out ro/a/b >/dev/null
culver: --out ro/a/b: No such file or directory
? 2
$ touch f; culver visit http://www.server.com/small.html --out f >/dev/null
culver: --out f: Not a directory
? 2
$ mkdir -p taken/wire.pcapng; culver visit http://www.server.com/small.html --out taken >/dev/null; find taken
culver: --out taken/wire.pcapng: Is a directory
? 2
# a refused visit leaves nothing
$ culver visit https://www.server.com/ --out none; ls none
culver: visit: https is not supported (no TLS here, nothing was sent): write http://www.server.com
? 2
# but one to which the network said no has its captures
$ culver visit http://nosuch.server.com/ --out no >/dev/null; ls no | xargs
culver: nosuch.server.com: Name or service not known
? 1
# what was there is replaced, whole
$ mkdir d; echo old >d/story.txt; culver visit http://www.server.com/small.html --out d >new; cmp new d/story.txt; ls -A d | xargs
events.jsonl events.schema.json page.body steps.pcapng story.txt wire wire.pcapng
# another lab into the same folder: nothing of the visit stays, what is the user's does
$ touch d/notes d/wire/notes; culver lab pair -c 'a ping -c 1 10.0.0.2' --out d >/dev/null; ls -A d d/wire | xargs
d: events.jsonl events.schema.json notes steps.pcapng wire wire.pcapng d/wire: a-eth1.pcapng b-eth1.pcapng notes
$ culver lab internet -c 'client ping -c 1 10.0.1.11' --out l >/dev/null; ls l | xargs
events.jsonl events.schema.json steps.pcapng wire wire.pcapng
