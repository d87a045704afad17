# bash completion for culver

# The nodes of the lab that the line names (a file's, or a built-in one's): the keys below "nodes:".
_culver_nodes() {
	local lab=internet i
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--lab) lab=${COMP_WORDS[i+1]} ;;
		internet|nat|pair|sockmap|*.yml) [ "${COMP_WORDS[1]}" = lab ] && lab=${COMP_WORDS[i]} ;;
		esac
	done
	case $lab in
	internet) echo alice bob client com dns ns r1 r2 r3 root sw1 sw2 sw3 sw4 www ;;
	nat) echo client com dns friend home home2 lan laptop ns r1 r2 r3 root sw1 sw2 sw3 sw4 www ;;
	pair) echo a b ;;
	sockmap) echo map stack ;;
	*) [ -r "$lab" ] && awk '
		/^ *#/ || !NF { next }
		{ match($0, /^ */) }
		on && RLENGTH <= depth { exit }
		on && (first == 0 || RLENGTH == first) { first = RLENGTH; sub(/:.*/, ""); gsub(/[ "]/, ""); print }
		!on && /^ *nodes:/ { on = 1; depth = RLENGTH }' "$lab" ;;
	esac
}

_culver() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cmd=${COMP_WORDS[1]}
	case $prev in
	--lab) COMPREPLY=($(compgen -W 'internet nat pair sockmap' -- "$cur") $(compgen -f -X '!*.yml' -- "$cur")); return ;;
	--from|--node) COMPREPLY=($(compgen -W "$(_culver_nodes)" -- "$cur")); return ;;
	-c) [ "$cmd" = lab ] && COMPREPLY=($(compgen -P "'" -S ' ' -W "$(_culver_nodes) lab" -- "${cur#\'}")); return ;;
	--out) COMPREPLY=($(compgen -d -- "$cur")); return ;;
	--names) COMPREPLY=($(compgen -W 'now 3.x 4.x' -- "$cur")); return ;;
	esac
	if [ "$COMP_CWORD" -eq 1 ]; then
		COMPREPLY=($(compgen -W 'visit lab up run trace lives drill bench help --version' -- "$cur"))
		return
	fi
	case $cmd in
	visit) COMPREPLY=($(compgen -W '--lab --from --out --seed --repeat --pause --json http://www.server.com/' -- "$cur")) ;;
	lab) COMPREPLY=($(compgen -W 'internet nat pair sockmap -c --out --seed' -- "$cur") $(compgen -f -X '!*.yml' -- "$cur")) ;;
	up) COMPREPLY=($(compgen -W '--for --out' -- "$cur") $(compgen -f -X '!*.yml' -- "$cur")) ;;
	run) COMPREPLY=($(compgen -W '--lab --node --out --veth --' -- "$cur") $(compgen -c -- "$cur")) ;;
	trace) COMPREPLY=($(compgen -W '--packet --stack --at --names --drops --wire' -- "$cur") $(compgen -d -- "$cur")) ;;
	lives) COMPREPLY=($(compgen -W '--size --json' -- "$cur")) ;;
	drill) COMPREPLY=($(compgen -W '--verbose --dry_run --json --seed= -D --mtu= --tolerance_usecs= --tolerance_percent= --tcp_ts_tick_usecs= --non_fatal= --init_scripts= --nothing_more --local_ip= --remote_ip= --gateway_ip= --netmask_ip= --bind_port= --connect_port= --define= --ip_version=ipv4 --ip_version=ipv4-mapped-ipv6' -- "$cur") $(compgen -d -- "$cur") $(compgen -f -X '!*.pkt' -- "$cur")) ;;
	bench) COMPREPLY=($(compgen -W 'tcp-bulk tcp-rr tcp-crr udp-64 tcp-tw hosts tcp-grid --json --full --fair --cell --seconds --runs --seed --cc --md5' -- "$cur")) ;;
	help) COMPREPLY=($(compgen -W 'visit lab up run trace lives drill bench' -- "$cur")) ;;
	esac
}
complete -F _culver culver
