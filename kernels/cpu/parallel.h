/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One kernel's work shared among the threads of a session.
 *
 * A team belongs to one session. Between nn_team_enter() and nn_team_leave() the kernels that the
 * calling thread runs find it by themselves.
 */
#pragma once

#include "../status.h"

#include <stdint.h>

typedef struct nn_team nn_team;

/* Starts `threads` - 1 threads, which sleep while there is nothing to do. */
nn_team *nn_team_new (int threads, nn_error *err);
void nn_team_free (nn_team *team); /* NULL is fine */

/* From now on the calling thread's kernels may use `threads` threads, of which nn_cpu_share() uses
 * those of `team`; without one (NULL: while a plan is made) it does everything itself. */
void nn_team_enter (nn_team *team, int threads);
void nn_team_leave (void);

/* How many threads the kernel that is being prepared or run may use, ≥ 1: so many pieces of scratch
 * memory it wants where threads must not share one. */
int nn_cpu_threads (void);

/* Does items `begin` … `end` - 1. `thread` is 0 … nn_cpu_threads() - 1, and no other part runs with
 * the same number at the same time. */
typedef void (*nn_cpu_work) (const void *arg, int64_t begin, int64_t end, int thread);

/* Calls `work` for parts of 0 … n - 1 until all are done, then returns. No part but the last has
 * fewer than `least` items (≥ 1). Which thread does what differs from run to run: an item's result must
 * not depend on the part that it is in. `work` shares nothing itself. */
void nn_cpu_share (int64_t n, int64_t least, nn_cpu_work work, const void *arg);

/* How many items of `operations` each (multiply-adds, elements moved …) make a part that is worth
 * handing to another thread: some 10 µs. */
int64_t nn_cpu_least (int64_t operations);
