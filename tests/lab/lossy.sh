#!/usr/bin/env bash
# The page (100 KiB) and a 10 MiB file over a transit link with loss 2%, reorder 5%, duplicate 1%, corrupt 1%, both directions:
# byte-identical for every seed.  usage: lossy.sh CULVER SOURCE_ROOT [SEEDS=200] [BIG_SEEDS=SEEDS]
set -u
culver=$(readlink -f "$1"); top=$(readlink -f "$2"); seeds=${3:-200}; big=${4:-$seeds}
work=$(mktemp -d /tmp/culver-lossy.XXXXXX); trap 'rm -rf "$work"' EXIT
cp -r "$top/labs/internet" "$work/internet"
head -c 10485760 /dev/zero | openssl enc -aes-128-ctr -K 00 -iv 00 2>/dev/null >"$work/internet/site/big.bin" ||
	python3 -c 'import random,sys; random.seed(1); sys.stdout.buffer.write(random.randbytes(10485760))' >"$work/internet/site/big.bin"
[ "$(stat -c %s "$work/internet/site/big.bin")" = 10485760 ] || exit 3
# the cable between r2 and the transit switch
sed 's/length: 400km}}/length: 400km}, tc: {loss: 2%, reorder: 5%, duplicate: 1%, corrupt: 1%}}/' "$top/labs/internet.clab.yml" >"$work/lossy.clab.yml"
grep -q 'loss: 2%' "$work/lossy.clab.yml" || exit 3
one() { # SEED PATH
	"$culver" lab "$work/lossy.clab.yml" --seed "$1" -c "client curl -s http://www.server.com/$2" >"$work/out.$1.$3" 2>"$work/err.$1.$3" &&
		cmp -s "$work/out.$1.$3" "$work/internet/site/${2:-index.html}" || { echo "seed $1: /$2 differs: $(head -c 200 "$work/err.$1.$3")"; return 1; }
	rm -f "$work/out.$1.$3" "$work/err.$1.$3"
}
export -f one; export culver work
failed=$( { seq "$seeds" | xargs -P 2 -I{} bash -c 'one {} "" page'; seq "$big" | xargs -P 2 -I{} bash -c 'one {} big.bin big'; } 2>&1 | tee /dev/stderr | grep -c '^seed')
echo "lossy: $seeds pages and $big transfers of 10 MiB, $failed failed"
[ "$failed" = 0 ]
