/* SPDX-License-Identifier: MIT
 *
 * nodes_machine.h - what nodes.c, nodes_server.c and nodes_calls.c share.
 */
#ifndef CLIENT_NODES_MACHINE_H
#define CLIENT_NODES_MACHINE_H

#include "client/protocol.h"
#include "client/unsent.h"
#include "protocol/nodes.h"

#define CALLS_MAX     CLIENT_SIDES_MAX
#define ASKED_MAX     64 /* 60 and 62 under way */
#define KNOWN_MAX     64
#define LOGIN_MS      30000
#define LEAVING_MS    10000
#define JOIN_MS       35000         /* the other one has 30 s to come */
#define KEPT_MAX      (1024 * 1024) /* bytes kept of a call that is not current */
#define CALL_OUT_HIGH (4 * 1024 * 1024)

enum node_call_state {
	NODE_CALL_FREE, /* a place for one */
	NODE_CALL_LOOKING,
	NODE_CALL_CALLING,
	NODE_CALL_NAMING,
	NODE_CALL_RINGING,
	NODE_CALL_JOINING,
	NODE_CALL_UP
};

struct node_call {
	enum node_call_state state;
	bool ours;      /* we have called */
	uint64_t order; /* which one was first */
	uint32_t uin;   /* 0 while LOOKING */
	char name[NAME_SIZE];
	char as[NAME_SIZE]; /* the number */
	unsigned side;      /* its connection, 0: none */
	char key[FINGERPRINT_SIZE];
	bool verified;
	struct unsent unsent;
	struct buf kept; /* texts not shown yet: length, text */
	size_t unread;
	bool full;         /* some are counted, but not kept */
	int64_t pinged_ns; /* 0: no */
	uint8_t ping[2];
};

/* A question to the server who somebody is. */
struct node_asked {
	bool by_name;
	uint32_t uin;
	char name[NAME_SIZE]; /* "": we ourselves */
};

struct node_known {
	uint32_t uin;
	char name[NAME_SIZE];
};

struct nodes_machine {
	const struct client_env *env;
	bool logged_in, leaving, over;
	uint32_t uin; /* ours */
	int64_t deadline_ms;
	int64_t quiet_ms; /* when the server will have said nothing for too long */
	size_t in_left;   /* bytes of a message that is coming in */
	int64_t alive_ms; /* until when it must say something; 0: it was not asked */
	struct node_asked asked[ASKED_MAX]; /* a ring */
	size_t asked_first, asked_count;
	struct node_known known[KNOWN_MAX]; /* a ring */
	size_t known_next;
	unsigned lists;    /* 90s under way */
	int64_t pinged_ns; /* the server; 0: no */
	uint8_t ping[2];
	struct buf scratch;

	struct node_call calls[CALLS_MAX];
	struct node_call *current; /* UP, or NULL */
	struct node_call *shown;   /* whose verified is in the view */
	struct node_call *back_to; /* was current before we called, or answered */
	uint64_t orders;
	struct unsent left; /* what was on its way in calls when we left */
};

/* ---- nodes.c ---- */
/* Put a message of one UIN for the server; a failure is the end. */
void nodes_say(struct nodes_machine *m, enum nodes_type type, uint32_t uin);
/* Ask it who that is.  Q_FULL: not now. */
enum qerr nodes_ask(struct nodes_machine *m, const struct node_asked *who);
void nodes_finish(struct nodes_machine *m, enum client_event_kind kind, const char *text);
/* Make the view true. */
void nodes_show(struct nodes_machine *m);
/* The number as text. */
void nodes_number(uint32_t uin, char out[NAME_SIZE]);
/* The name of a number: as the server has said, else the number. */
void nodes_name(const struct nodes_machine *m, uint32_t uin, char out[NAME_SIZE]);
/* Something that a person should know, a sentence. */
void nodes_tell(struct nodes_machine *m, enum client_event_kind kind, const char *fmt,
		...) __attribute__((format(printf, 3, 4)));

/* ---- nodes_server.c: what the server says ---- */
void nodes_on_message(struct nodes_machine *m, const struct nodes_message *msg);

/* ---- nodes_calls.c ---- */
/* uin 0: the first with that name. */
struct node_call *node_call_find(struct nodes_machine *m, uint32_t uin, const char *name);
/* A new one; NULL: there are too many. */
struct node_call *node_call_add(struct nodes_machine *m, enum node_call_state state,
				uint32_t uin, const char *name);
/* End it: what is to be sent goes, then its connection ends. */
void node_call_drop(struct nodes_machine *m, struct node_call *c);
/* The same, and the person is told why. */
void node_call_close(struct nodes_machine *m, struct node_call *c, const char *reason);
/* Open its connection. */
void node_call_join(struct nodes_machine *m, struct node_call *c);
/* Say and show in this one from now on. */
void node_call_switch(struct nodes_machine *m, struct node_call *c);
enum qerr node_call_say(struct nodes_machine *m, struct span text, struct why *why);
/* 68 to the partner. */
void node_call_ping(struct node_call *c, const struct nodes_machine *m);
/* Microseconds since then, for people who measure: no machine goes by it. */
uint64_t nodes_since(int64_t then_ns);
/* A call that was to come up has not: back to the one that was current before. */
void node_call_back(struct nodes_machine *m);
/* The one that rings for the longest time, or NULL. */
struct node_call *node_call_ringing(struct nodes_machine *m);
extern const struct client_side_ops node_call_ops;

#endif
