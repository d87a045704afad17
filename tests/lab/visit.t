# culver visit: the whole way, and what the network, the user and the machine may say against it.

# the steps of programs and of TCP, without times and numbers
$ culver visit http://www.server.com/ >story; echo "exit $?"
exit 0

$ sed -n '/^ *[0-9]*\. /s/^ *[0-9]*\. [0-9.]*  //p' story | grep -E '^client, (visit_one|resolve|cached|in_hosts_file|ask_server|oscache_put|connect_to|exchange|tcp_set_state|tcp_time_wait|tcp_tw_timer):' | sed -E 's/TCP [0-9]+:80/TCP PORT:80/'
client, visit_one: the URL says: protocol http, server www.server.com, port 80, file / (a URL is a protocol, a server's name, perhaps a port, and a path)
client, resolve: the browser does not know www.server.com (its own cache is asked first)
client, cached: the operating system does not know www.server.com either (its cache is asked second)
client, in_hosts_file: /etc/hosts has no www.server.com (it is asked before any server)
client, ask_server: asks its name server 10.0.1.53 for the address of www.server.com (/etc/resolv.conf names this server)
client, ask_server: the name server has answered: NOERROR, addresses: 1
client, oscache_put: the operating system keeps the answer for 300 s (the record's time to live)
client, resolve: www.server.com is 10.0.2.80
client, tcp_set_state: TCP PORT:80: CLOSE to SYN_SENT (active open; its own port is chosen next)
client, tcp_set_state: TCP PORT:80: SYN_SENT to ESTABLISHED (the handshake is complete at this end)
client, connect_to: connected to 10.0.2.80 port 80 (the handshake is done: connect() returns)
client, exchange: sends the request: GET / for host www.server.com, 73 octets (server name and file name of the URL make it)
client, exchange: the server says 200 OK
client, exchange: the page is complete: 109869 octets
client, tcp_set_state: TCP PORT:80: ESTABLISHED to FIN_WAIT1 (this end closes first)
client, visit_one: the browser closes the connection (it has what it came for)
client, tcp_set_state: TCP PORT:80: FIN_WAIT1 to FIN_WAIT2
client, tcp_time_wait: TCP PORT:80: TIME_WAIT (late segments of this connection must not meet a new one)
client, tcp_set_state: TCP PORT:80: FIN_WAIT2 to CLOSE (the socket ends; a small remnant of it sits out TIME_WAIT)
client, tcp_tw_timer: TCP PORT:80: TIME_WAIT is over, the connection is forgotten (twice the longest life of a segment has passed)

# the name servers in turn
$ grep -E 'resolver_step|, tell:' story | sed -E 's/^ *[0-9]+\. [0-9.]+  //; s/(to|from)=([0-9.]+):[0-9]+/\1=\2:PORT/'
dns, tell: question received name=www.server.com. type=A
dns, resolver_step: asks 10.0.3.2, a server of the zone ., for www.server.com. A (nothing nearer to the name is known)
root, tell: referral com. rcode=NOERROR to=10.0.1.53:PORT
dns, resolver_step: referral com. ns=1
dns, resolver_step: asks 10.0.3.3, a server of the zone com., for www.server.com. A (nothing nearer to the name is known)
com, tell: referral server.com. rcode=NOERROR to=10.0.1.53:PORT
dns, resolver_step: referral server.com. ns=1
dns, resolver_step: asks 10.0.2.53, a server of the zone server.com., for www.server.com. A (nothing nearer to the name is known)
ns, tell: answer www.server.com. rcode=NOERROR to=10.0.1.53:PORT
dns, tell: answered name=www.server.com. type=A rcode=NOERROR
www, tell: request method=GET target=/ from=10.0.1.10:PORT status=200

# eight DNS messages (S3-29), three of the handshake, four of the close
$ grep -c 'sends www.server.com. A' story; grep -E 'sends (SYN|FIN)' story | sed -E 's/^.*  ([a-z]+), .*sends ([A-Z]+( and ACK)?) .*$/\1 \2/'
8
client SYN
www SYN and ACK
client FIN and ACK
www FIN and ACK

# who hears what is not for him
$ grep 'drops packet' story | sed -E 's/^ *[0-9]+\. [0-9.]+  //; s/packet [0-9]+/packet N/'
r1, arp_rcv: drops packet N: an ARP packet that asks for somebody else (ARP_NOT_FOR_US)
bob, arp_rcv: drops packet N: an ARP packet that asks for somebody else (ARP_NOT_FOR_US)
r2, arp_rcv: drops packet N: an ARP packet that asks for somebody else (ARP_NOT_FOR_US)
com, arp_rcv: drops packet N: an ARP packet that asks for somebody else (ARP_NOT_FOR_US)
www, arp_rcv: drops packet N: an ARP packet that asks for somebody else (ARP_NOT_FOR_US)
alice, arp_rcv: drops packet N: an ARP packet that asks for somebody else (ARP_NOT_FOR_US)

# where the time went, and the page
$ sed -n '/^The answer/,/^Afterwards/p' story | sed -E 's/ +[0-9]+\.[0-9]{6} ms.*/ T ms/'
The answer came in 77 TCP segments, 110105 octets with its header, the largest 1448 octets.
Where the time went
  parse the URL T ms
  resolve the name T ms
  connect T ms
  wait for the first octet T ms
  receive the page T ms
  close T ms
  in all T ms
.
The page, 109869 octets, begins:
  | <!DOCTYPE html>
  | <html lang="en">
  | <head>
  | <meta charset="utf-8">
  | <title>www.server.com</title>
  | </head>
  | <body>
  | <h1>You have arrived</h1>
  | <p>This page came to you as a few dozen TCP segments, through three switches and two routers.
  | Each segment travelled in a frame; each frame took its time on each cable. How long, the table says:
  | at 1 Gbit/s an octet takes 8 ns, and before and after each frame come 8 octets of preamble
  | and 12 of silence.</p>
  | ...
.
Afterwards

$ grep -E 'TIME_WAIT' story | sed -E 's/TCP [0-9]+:80/TCP PORT:80/; s/^ *[0-9]+\. [0-9.]+  //'
client, tcp_time_wait: TCP PORT:80: TIME_WAIT (late segments of this connection must not meet a new one)
client, tcp_set_state: TCP PORT:80: FIN_WAIT2 to CLOSE (the socket ends; a small remnant of it sits out TIME_WAIT)
client, tcp_tw_timer: TCP PORT:80: TIME_WAIT is over, the connection is forgotten (twice the longest life of a segment has passed)

# each way of saying no
$ culver visit http://www.server.com/nosuch >story
culver: http://www.server.com/nosuch: HTTP 404 Not Found
? 1
$ culver visit http://nosuch.server.com/ >story
culver: nosuch.server.com: Name or service not known
? 1
$ culver visit http://www.server.com:81/ >story
culver: www.server.com (10.0.2.80) port 81: Connection refused
? 1
$ culver visit http://192.0.2.1/ >story
culver: 192.0.2.1 (192.0.2.1) port 80: Network is unreachable
? 1
$ culver visit http://off.server.com/ >story
culver: off.server.com (10.0.2.99) port 80: No route to host
? 1
$ culver visit https://www.server.com/ >story
culver: visit: https is not supported (no TLS here, nothing was sent): write http://www.server.com
? 2
$ culver visit ftp://www.server.com/ >story
culver: visit: scheme 'ftp' is not supported: write http://HOST/PATH
? 2
$ culver visit http://www.server.com:99999/ >story
culver: visit: bad URL: port '99999' is not in 1..65535
? 2
$ culver visit >story
culver: visit: which URL? as in: culver visit http://www.server.com/ (see: culver help visit)
? 2
$ culver visit http://a/ http://b/ >story
culver: visit: one URL at a time, not 'http://b/' too (see: culver help visit)
? 2
$ culver visit http://a/ --lab nosuch.clab.yml >story
culver: lab nosuch.clab.yml: no such file, and no built-in lab of that name (there are: internet, nat, pair, sockmap)
? 2
$ culver visit http://a/ --seed x >story
culver: visit: --seed needs a whole number from 0 to 18446744073709551615, not 'x' (see: culver help visit)
? 2
$ culver visit http://a/ --sed 1 >story
culver: visit: unknown option '--sed' (see: culver help visit)
? 2
$ culver visit http://a/ --from nobody >story
culver: visit: internet has no host 'nobody'
? 2

# default.html where there is no index.html; a folder without either; another name of the server
$ culver visit http://www.server.com/dir2/ | sed -n '/^The page/,/<h1>/p'
The page, 232 octets, begins:
  | <!DOCTYPE html>
  | <html lang="en">
  | <head><meta charset="utf-8"><title>dir2</title></head>
  | <body>
  | <h1>The default page of the folder dir2</h1>
$ culver visit http://www.server.com/dir1/ >story
culver: http://www.server.com/dir1/: HTTP 404 Not Found
? 1
$ culver visit http://web.server.com/small.html | sed -n '/^The page/,/<h1>/p'
The page, 196 octets, begins:
  | <!DOCTYPE html>
  | <html lang="en">
  | <head><meta charset="utf-8"><title>A small page</title></head>
  | <body>
  | <h1>A small page</h1>

# the second time nobody is asked for the name
$ culver visit http://www.server.com/small.html --repeat 2 | sed -n '/^Visit 2/,$p' | grep -E 'browser|DNS|name server' | sed -E 's/^ *[0-9]+\. [0-9.]+  //'
client, resolve: the browser remembers: www.server.com is 10.0.2.80 (its time to live has 298s left: nobody is asked)
client, visit_one: the browser closes the connection (it has what it came for)

# JSON
$ culver visit http://www.server.com/small.html --json | python3 -c 'import json,sys; d = json.load(sys.stdin); print(d["result"], d["status"], d["octets"], d["address"], d["steps"][0]["function"])'
ok 200 196 10.0.2.80 visit_one

# a closed standard output ends it quietly, a full one with a line
$ culver visit http://www.server.com/small.html | head -1
http://www.server.com/small.html: lab internet, seed 1, from client
$ culver visit http://www.server.com/small.html >/dev/full
culver: standard output: No space left on device
? 3
# when the record's time to live has passed, every cache has forgotten it and the name is asked for again; who serves the zone is still known
$ culver visit http://www.server.com/small.html --repeat 2 --pause 301 | sed -n '/^Visit 2/,$p' | grep -E 'does not know|asks ' | sed -E 's/^ *[0-9]+\. [0-9.]+  //' | cut -c1-70
client, resolve: the browser does not know www.server.com (its own cac
client, cached: the operating system does not know www.server.com eith
client, ask_server: asks its name server 10.0.1.53 for the address of 
dns, resolver_step: asks 10.0.2.53, a server of the zone server.com., 
