/* SPDX-License-Identifier: MIT
 *
 * clock.h - the two clocks.  Deadlines are passed down a call chain as points
 * on the monotonic clock, never as time-outs, so that a slow peer cannot start
 * its own clock again.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds on a clock that never steps (CLOCK_MONOTONIC). */
int64_t clock_mono_ms(void);
/* The same in nanoseconds, for measuring. */
int64_t clock_mono_ns(void);
/* Milliseconds since 1970-01-01 UTC (CLOCK_REALTIME): what goes into files
 * and onto the wire. */
int64_t clock_wall_ms(void);
/* What is left until deadline_ms (monotonic) for poll(2): 0 when it has
 * passed, -1 when deadline_ms is 0 (no deadline). */
int clock_left_ms(int64_t deadline_ms);

#endif
