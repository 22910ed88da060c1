/* SPDX-License-Identifier: MIT
 *
 * budget.h - so many bytes for all sessions together: who wants to hold a large message
 * takes its size first and waits, in the order of coming, until it fits.
 *
 * Whoever waits holds nothing of the same budget yet, so nobody can wait for ever: take
 * once for a message, never bit by bit.
 */
#ifndef SERVER_HTTP_BUDGET_H
#define SERVER_HTTP_BUDGET_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct budget;
struct session;

/* total: bytes.  Q_NOMEM. */
enum qerr budget_new(size_t total, struct budget **out);
/* Nobody holds any of it or waits.  NULL is fine. */
void budget_free(struct budget *b);
/* Another total from now on (a reload); what is held stays held. */
void budget_resize(struct budget *b, size_t total);

/* Worker of s, holding no lock: take n bytes; what this thread touched has been flushed.
 * More than the total is given to one who then has it alone.  Q_OK; Q_CLOSED: s ended
 * meanwhile; Q_TIMEOUT: deadline_ms (monotonic, 0: none) passed. */
enum qerr budget_take(struct budget *b, struct session *s, size_t n, int64_t deadline_ms);
/* Any thread: give n bytes back. */
void budget_give(struct budget *b, size_t n);
/* For metrics: what is held now. */
size_t budget_held(struct budget *b);

#endif
