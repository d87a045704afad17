# bash completion for culver
_culver() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cmd=${COMP_WORDS[1]}
	case $prev in
	--lab) COMPREPLY=($(compgen -W 'internet nat pair sockmap' -- "$cur") $(compgen -f -X '!*.yml' -- "$cur")); return ;;
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
	drill) COMPREPLY=($(compgen -W '--verbose --dry_run --json --seed= -D --mtu= --tolerance_usecs= --ip_version=ipv4' -- "$cur") $(compgen -d -- "$cur") $(compgen -f -X '!*.pkt' -- "$cur")) ;;
	bench) COMPREPLY=($(compgen -W 'tcp-bulk tcp-rr tcp-crr udp-64 hosts tcp-grid --json --full --cell --seconds --runs --seed --cc' -- "$cur")) ;;
	help) COMPREPLY=($(compgen -W 'visit lab up run trace lives drill bench' -- "$cur")) ;;
	esac
}
complete -F _culver culver
