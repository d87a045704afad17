# Lab files that are wrong say where; a lab file's own folders are what its nodes see.

$ printf 'name: x\ntopology:\n  nodes:\n    a: {knd: linux}\n' >x.yml; culver lab x.yml -c 'a ip addr'
culver: x.yml:4:9: unknown key 'knd' in node 'a': did you mean 'kind'?
? 2
$ printf 'name: x\ntopology:\n  nodes:\n    a: {exec: [ip addr add 10.0.0.1]}\n' >x.yml; culver lab x.yml -c 'a ip addr'
culver: x.yml:4:16: exec 'ip addr add 10.0.0.1' on a: Not enough information: "dev" argument is required.
? 2
$ printf 'name: x\ntopology:\n  nodes:\n    a: {exec: [nosuch]}\n' >x.yml; culver lab x.yml -c 'a ip addr'
culver: x.yml:4:16: exec 'nosuch' on a: a: nosuch: command not found
? 2
$ printf 'name: x\ntopology:\n  nodes:\n    a: {sysctls: {net.ipv4.nosuch: 1}}\n' >x.yml; culver lab x.yml -c 'a ip addr'
culver: x.yml:4:19: net.ipv4.nosuch: there is no such sysctl here
? 2
$ printf 'name: x\ntopology:\n  nodes:\n    a: {sysctls: {net.ipv4.ip_forward: maybe}}\n' >x.yml; culver lab x.yml -c 'a ip addr'
culver: x.yml:4:19: net.ipv4.ip_forward: it does not take 'maybe'
? 2
$ printf 'name: x\ntopology:\n  nodes:\n    a: {config: {vars: {processes: [{path: nosuch}]}}}\n' >x.yml; culver lab x.yml -c 'a ip addr'
culver: x.yml:4:37: process 'nosuch' is not one of culver's programs
? 2
$ printf 'name: x\ntopology:\n  nodes:\n    a: {config: {vars: {files: {/srv: nosuch}}}}\n' >x.yml; culver lab x.yml -c 'a ip addr'
culver: x.yml:4:33: 'nosuch': No such file or directory
? 2
$ printf 'name: x\ntopology:\n  nodes:\n    a: {image: frr, binds: [x]}\nmgmt: {network: x}\n' >x.yml; culver lab x.yml -c 'a cat /etc/hostname'
culver: x.yml: keys without a meaning here, ignored: image (line 4), binds (line 4), mgmt (line 5)
a
$ printf '\376\377' >x.yml; culver lab x.yml
culver: x.yml:1:1: the file is empty
? 2
$ culver lab nosuch.yml
culver: lab nosuch.yml: no such file, and no built-in lab of that name (there are: internet, nat, pair, sockmap)
? 2
$ culver lab .
culver: lab .: Is a directory
? 2

# a site beside the lab file
$ mkdir -p site/sub; echo hello >site/index.html; echo secret >secret; ln -s ../secret site/out; ln -s index.html site/in.html
> cat >two.clab.yml <<'E'
> name: two
> topology:
>   nodes:
>     www:
>       config:
>         vars:
>           files: {/srv: {from: site, mtime: 1999-12-31}, /srv/up: {memory: 1kB}}
>           processes: [{path: http-server, args: [--root, /srv, --put, /up/]}]
>     c: {env: {LANG: C}}
>   links:
>     - type: veth
>       endpoints:
>         - {node: c, interface: eth1, ipv4: 10.0.0.1/24}
>         - {node: www, interface: eth1, ipv4: 10.0.0.2/24}
> E
$ culver lab two.clab.yml -c 'c curl -s http://10.0.0.2/'
hello
$ culver lab two.clab.yml -c 'c curl -s http://10.0.0.2/in.html' -c 'c curl -sI http://10.0.0.2/out' -c 'c curl -sI http://10.0.0.2/%2e%2e/secret' | grep -E '^HTTP|hello|secret'
hello
HTTP/1.1 403 Forbidden\r
HTTP/1.1 400 Bad Request\r
$ culver lab two.clab.yml -c 'c curl -s -X PUT -d data http://10.0.0.2/up/a' -c 'c curl -s http://10.0.0.2/up/a'; echo
data
# the times of the real files do not show
$ culver lab two.clab.yml -c 'c curl -sI http://10.0.0.2/' >a; touch -d 2020-01-01 site/index.html; culver lab two.clab.yml -c 'c curl -sI http://10.0.0.2/' >b; cmp a b && grep Last-Modified a
Last-Modified: Fri, 31 Dec 1999 00:00:00 GMT\r
# what the file says of chance
$ sed 's/interface: eth1, ipv4: 10.0.0.2.24/&, vars: {tc: {drop: [2]}}/' two.clab.yml >drop.clab.yml; culver lab drop.clab.yml -c 'c ping -c 2 -W 1 10.0.0.2' | tail -2 | head -1
2 packets transmitted, 1 received, 50% packet loss, time 1000ms
