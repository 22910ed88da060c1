/* SPDX-License-Identifier: MIT
 *
 * Packets of rooms from either side: whatever the parser accepts, is written so that it
 * parses back to the same values, which are then written alike.
 */
#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "protocol/rooms_account.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXT_MAX (8u << 20)

/* What the server does with a request next. */
static void
checks(const struct rooms_packet *p)
{
	char date[ROOMS_DATE_SIZE];

	switch (p->type) {
	case ROOMS_T_SIGNUP:
		if (rooms_signup_check(&p->u.signup, 1700000000000) == ROOMS_SIG_OTHER)
			assert(rooms_dob_parse(p->u.signup.dob, 1700000000000, date) ==
				   Q_OK &&
			       strlen(date) == 10);
		break;
	case ROOMS_T_CREATE_ROOM: (void)rooms_create_check(&p->u.create); break;
	case ROOMS_T_CHAT_ACTION: (void)rooms_content_check(&p->u.action, 100); break;
	case ROOMS_T_CHAT_ENCRYPT_C: (void)rooms_pem_shape(p->u.pem); break;
	default: break;
	}
}

static void
from(enum rooms_side sender, struct span text)
{
	struct buf once = BUF_INIT(TEXT_MAX), twice = BUF_INIT(TEXT_MAX);
	struct rooms_packet p = {0}, again = {0};
	struct rooms_fault fault;

	if (rooms_parse(text, 1 << 20, sender, &p, &fault) == Q_OK) {
		checks(&p);
		assert(rooms_put(&once, &p) == Q_OK);
		assert(rooms_parse(buf_span(&once), TEXT_MAX, sender, &again, &fault) ==
		       Q_OK);
		assert(again.type == p.type && span_eq(again.ref, p.ref));
		assert(rooms_put(&twice, &again) == Q_OK);
		assert(span_eq(buf_span(&once), buf_span(&twice)));
	} else {
		assert(fault.sig != ROOMS_SIG_OTHER && fault.desc.text[0] != '\0');
		assert(rooms_put_fault(&once, &fault) == Q_OK);
		/* Keys that a server chose can stand in desc, cut; a client's cannot. */
		assert(sender == ROOMS_SERVER ||
		       rooms_parse(buf_span(&once), TEXT_MAX, ROOMS_SERVER, &again,
				   &fault) == Q_OK);
	}
	rooms_packet_free(&p);
	rooms_packet_free(&again);
	buf_free(&once);
	buf_free(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	from(ROOMS_CLIENT, span_of(data, size));
	from(ROOMS_SERVER, span_of(data, size));
	return 0;
}
