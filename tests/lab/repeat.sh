#!/usr/bin/env bash
# Same seed, two runs: every file of --out and the output are the same to the byte. Another seed differs.
# usage: repeat.sh CULVER [OTHER_CULVER...]    other builds (compiler, optimisation) must give the same bytes too
set -u
first=$(readlink -f "$1")
work=$(mktemp -d /tmp/culver-repeat.XXXXXX); trap 'rm -rf "$work"' EXIT
visit() { "$1" visit http://www.server.com/ --out "$work/$2" --seed "$3" --repeat 2 >"$work/$2.stdout" 2>"$work/$2.stderr" || { cat "$work/$2.stderr"; exit 1; }; }
visit "$first" a 7; visit "$first" b 7; visit "$first" c 8
diff -r "$work/a" "$work/b" && cmp "$work/a.stdout" "$work/b.stdout" || { echo "two runs of one seed differ"; exit 1; }
cmp -s "$work/a/wire.pcapng" "$work/c/wire.pcapng" && { echo "another seed gives the same frames"; exit 1; }
for other in "${@:2}"; do
	visit "$(readlink -f "$other")" o 7
	diff -r "$work/a" "$work/o" && cmp "$work/a.stdout" "$work/o.stdout" || { echo "$other gives other bytes"; exit 1; }
	rm -r "$work/o"
done
echo "repeat: $(find "$work/a" -type f | wc -l) files equal over $((1 + $#)) runs"
