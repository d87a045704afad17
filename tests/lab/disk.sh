#!/usr/bin/env bash
# --out on a disk that is full or read-only, a site that may not be read, a closed terminal: one line, exit 3, nothing half-written.
# usage: disk.sh CULVER
set -u
culver=$(readlink -f "$1")
unshare -rm true 2>/dev/null || { echo "disk.sh: no user namespaces here: skipped"; exit 77; }
export culver
unshare -rm bash -u <<'S'
fail() { echo "disk.sh: $*"; exit 1; }
m=$(mktemp -d); trap 'umount "$m" 2>/dev/null; rmdir "$m"' EXIT
page=http://www.server.com/small.html
mount -t tmpfs -o size=64k t "$m" || exit 77
err=$("$culver" visit $page --out "$m/x" 2>&1 >/dev/null); code=$?
[ $code = 3 ] || fail "full disk: exit $code"
[[ $err =~ ^culver:\ --out\ $m/x/[a-z.]+:\ No\ space\ left\ on\ device$ ]] || fail "full disk: $err"
[ -z "$(find "$m" -mindepth 1)" ] || fail "full disk: left behind: $(find "$m")"
mount -o remount,ro "$m"
err=$("$culver" visit $page --out "$m/x" 2>&1 >/dev/null); code=$?
[ $code = 3 ] && [ "$err" = "culver: --out $m/x: Read-only file system" ] || fail "read-only disk: exit $code: $err"
umount "$m"
# a site that this user may not read: root of a user namespace may, so a file system that refuses everybody
mount -t tmpfs t "$m"; mkdir "$m/site"; echo hello >"$m/site/index.html"
cat >"$m/l.clab.yml" <<'E'
name: l
topology:
  nodes:
    www: {config: {vars: {files: {/srv: site}, processes: [{path: http-server, args: [--root, /srv]}]}}}
    client: {}
  links:
    - type: veth
      endpoints: [{node: client, interface: eth1, ipv4: 10.0.0.1/24}, {node: www, interface: eth1, ipv4: 10.0.0.2/24}]
E
"$culver" visit http://10.0.0.2/ --lab "$m/l.clab.yml" >/dev/null || fail "a readable site"
chmod 000 "$m/site" "$m/site/index.html"
err=$(setpriv --bounding-set=-dac_override,-dac_read_search --inh-caps=-dac_override,-dac_read_search \
	"$culver" visit http://10.0.0.2/ --lab "$m/l.clab.yml" 2>&1 >/dev/null); code=$?
[ $code = 3 ] && [ "$err" = "culver: $m/l.clab.yml:4:35: 'site': Permission denied" ] || fail "unreadable site: exit $code: $err"
echo "disk: full, read-only, unreadable: said and left alone"
S
