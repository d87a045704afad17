/* A model of RFC 9293 3.10.7: what one segment does to one connection. Written from the RFC's text and apart from the stack:
 * a pure function of numbers, which shares no line and no header with src/tcp.
 *
 * RFC 5961 replaces the checks of RST, SYN and ACK in synchronised states. Timestamps (RFC 7323) are not negotiated. The
 * RFC leaves choices open, and Linux takes liberties at some edges; where the model follows Linux, it says so by one of these:
 *
 *   L1  The right edge of the window counts as inside when a segment is judged (not when its text is taken), unless
 *       something waits to be read, if only the peer's FIN: then a segment with text or SYN at the edge is outside.
 *   L2  A segment that ends exactly at RCV.NXT is old for its text, but its RST, SYN and ACK are looked at.
 *   L3  Without any of ACK, RST, SYN nothing is looked at: no acknowledgement even if it is out of the window.
 *   L4  A SYN in a synchronised state is answered by a challenge ACK wherever it lies (RFC 5961 4.2 says the same).
 *   L5  Once the peer's FIN is in (CLOSE-WAIT, CLOSING, LAST-ACK), a RST from the FIN's own number counts as exact.
 *   L6  A bare FIN needs no window.
 *   L7  SYN and FIN together do not open a connection; text and FIN of a SYN-ACK wait for their repetition.
 *   L8  After the peer's FIN, text that begins before RCV.NXT and ends behind it resets the connection.
 *   L9  A request (SYN-RECEIVED of a passive open) judges a RST first (RFC 5961 3.2), then the acknowledgement, then the window,
 *       to which an empty segment at its right edge belongs; a SYN in its window ends it by a reset; its own SYN again is
 *       answered by the SYN-ACK again.
 *   L10 TIME-WAIT: a segment without length at RCV.NXT is swallowed, flags or not; a RST there ends the wait (tcp_rfc1337 0);
 *       a SYN beyond RCV.NXT may open anew, if somebody listens (RFC 6191, MAY-2); everything else is acknowledged, RST excepted.
 *   L11 FIN-WAIT-2 without a program, with the window of L9: what is not acceptable is acknowledged, RST excepted; a RST in the window ends it, a SYN in
 *       it ends it by a reset, and so does text for nobody, even with the FIN; only the bare FIN goes on to TIME-WAIT.
 *   L12 In a simultaneous open the peer's SYN-ACK repeats its SYN: that one, with the right acknowledgement, is no challenge.
 *   L13 If the peer took window back, an acknowledgement is numbered by the window's end, where the peer will accept it. With
 *       the same number and acknowledgement as before, a segment changes the window only to more or to nothing.
 *   L14 An acknowledgement from before the initial sequence number is too old, however large the window was. */
#ifndef MODEL_9293_H
#define MODEL_9293_H

#include <stdbool.h>
#include <stdint.h>

enum m_state {
	M_CLOSED, M_LISTEN, M_SYN_SENT, M_SYN_RECEIVED, M_ESTABLISHED, M_FIN_WAIT_1, M_FIN_WAIT_2, M_CLOSE_WAIT, M_CLOSING, M_LAST_ACK,
	M_TIME_WAIT,
	M_RFC_STATES,
	M_SYN_RECEIVED_ACTIVE = M_RFC_STATES, /* of a simultaneous open */
	M_FIN_WAIT_2_ORPHAN,                  /* the program closed */
	M_STATES
};
enum { M_FIN = 1, M_SYN = 2, M_RST = 4, M_PSH = 8, M_ACK = 16, M_URG = 32 };
enum m_reply { M_NOTHING, M_REPLY_ACK, M_REPLY_RST, M_REPLY_RST_ACK, M_REPLY_SYN_ACK };
enum m_user { M_USER_NOTHING, M_USER_END_OF_DATA, M_USER_RESET, M_USER_REFUSED, M_USER_BROKEN_PIPE };

struct m_conn {
	enum m_state state;
	uint32_t iss, snd_una, snd_nxt, max_snd_wnd; /* SND.NXT is behind our FIN, if it was sent */
	uint32_t snd_wnd, snd_wl1;
	uint32_t irs, rcv_nxt, rcv_wnd;
	bool listener; /* somebody listens on this port too (TIME-WAIT) */
};
struct m_segment {
	uint32_t seq, ack, len, wnd; /* len: text only */
	uint8_t flags;
};
struct m_result {
	enum m_reply reply;
	uint32_t seq, ack; /* of the reply; a SYN-ACK's sequence number is its own affair */
	enum m_state next;
	uint32_t snd_una, rcv_nxt, snd_wnd;
	bool kept;         /* something was put aside, out of order */
	enum m_user user;
};

struct m_result model_9293(const struct m_conn *c, const struct m_segment *s);
const char *m_state_name(enum m_state st);

#endif
