/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Work shared among threads: each item once, in parts that are large enough, and no two parts at once
 * under one thread's number. */
#include "kernels/cpu/parallel.h"

#include <stdatomic.h>

#include "nn-check.h"

#define ITEMS_MAX 20000
#define THREADS_MAX 8

typedef struct record {
  int64_t n, least;
  atomic_int seen[ITEMS_MAX];
  atomic_int inside[THREADS_MAX]; /* parts that run under this number now */
  atomic_int small, twice, outside, threads;
} record;

static void
note (const void *arg, int64_t begin, int64_t end, int thread)
{
  record *r = *(record *const *) arg;
  if (thread < 0 || thread >= THREADS_MAX || begin < 0 || end > r->n) {
    r->outside++;
    return;
  }
  if (atomic_fetch_add (&r->inside[thread], 1) != 0)
    r->twice++;
  if (end - begin < r->least && end != r->n)
    r->small++;
  if (thread >= r->threads)
    r->threads = thread + 1;
  for (int64_t i = begin; i < end; i++)
    r->seen[i]++;
  atomic_fetch_sub (&r->inside[thread], 1);
}

static void
check_share (int threads, int64_t n, int64_t least)
{
  static record r;
  record *pointer = &r;
  memset (&r, 0, sizeof r);
  r.n = n;
  r.least = least;
  nn_cpu_share (n, least, note, &pointer);
  int64_t wrong = 0;
  for (int64_t i = 0; i < n; i++)
    wrong += r.seen[i] != 1;
  CHECK (wrong == 0, "%d threads, %lld items: %lld not done once", threads, (long long) n, (long long) wrong);
  CHECK (r.small == 0, "%d threads, %lld items: a part of fewer than %lld", threads, (long long) n,
         (long long) least);
  CHECK (r.twice == 0, "%d threads: two parts at once under one number", threads);
  CHECK (r.outside == 0, "%d threads: a part or number out of range", threads);
  CHECK (r.threads <= threads, "%d threads: number %d is used", threads, r.threads - 1);
}

static void
check_team (int threads)
{
  nn_error err;
  nn_team *team = nn_team_new (threads, &err);
  CHECK (team != NULL, "no team of %d threads: %s", threads, err.message);
  if (team == NULL)
    return;
  nn_team_enter (team, threads);
  CHECK (nn_cpu_threads () == threads, "%d threads where %d were asked for", nn_cpu_threads (), threads);
  for (int round = 0; round < 300; round++) {
    check_share (threads, round % 7 == 0 ? ITEMS_MAX : round * 3, 1 + round % 5);
    check_share (threads, 1, 1);
  }
  nn_team_leave ();
  CHECK (nn_cpu_threads () == 1, "%d threads after leaving", nn_cpu_threads ());
  nn_team_free (team);
}

int
main (void)
{
  nn_team_free (NULL);
  check_share (1, 1000, 10); /* without a team */
  nn_team_enter (NULL, 4);   /* while a plan is made: scratch for 4, work on one */
  CHECK (nn_cpu_threads () == 4, "%d threads", nn_cpu_threads ());
  check_share (1, 1000, 10);
  nn_team_leave ();
  for (int threads = 1; threads <= THREADS_MAX; threads++)
    check_team (threads);
  CHECK (nn_cpu_least (1) > nn_cpu_least (1000) && nn_cpu_least (INT64_MAX) == 1, "least of nn_cpu_least()");
  return nn_check_report ("work shared among threads");
}
