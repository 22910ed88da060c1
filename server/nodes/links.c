/* SPDX-License-Identifier: MIT */
#include "server/nodes/links.h"

#include <stdlib.h>

#include "server/nodes/nodes_session.h"

unsigned
links_searches(void)
{
	return 0;
}

void
links_tell(const struct calls_told *told)
{
	(void)told;
	abort(); /* no call has a wire */
}

enum qerr
links_data(struct leg *leg, struct span bytes)
{
	(void)leg, (void)bytes;
	abort();
}

void
links_list(struct session *s)
{
	struct nodes_message none = {.type = NODES_LIST};
	struct buf b = BUF_INIT(16);

	if (nodes_put(&b, &none) == Q_OK)
		(void)outbox_put(s, OUTBOX_CONTROL, buf_span(&b));
	buf_free(&b);
}
