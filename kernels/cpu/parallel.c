/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Parts a thread, so that one that is held up leaves its rest to the others. */
#define PARTS_A_THREAD 4

#define PART_OPERATIONS (1 << 18)

/* How often a thread looks for work before it sleeps: some 20 µs, longer than it takes from one
 * node of a network to the next, and short beside what waking a thread costs. */
#define LOOKS 2000

typedef struct member {
  nn_team *team;
  int index;
  pthread_t thread;
} member;

struct nn_team {
  int threads; /* with the one that calls */
  int started;
  member *members;

  nn_cpu_work work; /* the job; written before `round` changes */
  const void *arg;
  int64_t n, part;
  atomic_llong next;   /* first item that nobody has taken */
  atomic_uint round;   /* counts jobs */
  atomic_int busy;     /* members that have not finished the round */
  atomic_int sleepers; /* waiting for `wake` */
  atomic_bool quit;
  pthread_mutex_t mutex;
  pthread_cond_t wake;
};

static _Thread_local struct {
  nn_team *team;
  int threads;
} current;

static void
pause_briefly (void)
{
#if defined __x86_64__ || defined __i386__
  __builtin_ia32_pause ();
#elif defined __aarch64__
  __asm__ volatile ("yield");
#endif
}

static void
do_parts (nn_team *team, int thread)
{
  for (;;) {
    int64_t begin = atomic_fetch_add_explicit (&team->next, team->part, memory_order_relaxed);
    if (begin >= team->n)
      return;
    int64_t end = team->n - begin < team->part ? team->n : begin + team->part;
    team->work (team->arg, begin, end, thread);
  }
}

/* Sequentially consistent, as are the counts of rounds and sleepers: who says that it sleeps and sees no new
 * round must be seen by who begins one and looks for sleepers. */
static bool
is_over (nn_team *team, unsigned seen)
{
  return atomic_load (&team->round) != seen || atomic_load (&team->quit);
}

/* Returns when the round is no longer `seen`. */
static void
wait_for_round (nn_team *team, unsigned seen)
{
  for (int i = 0; i < LOOKS; i++) {
    if (is_over (team, seen))
      return;
    pause_briefly ();
  }
  pthread_mutex_lock (&team->mutex);
  atomic_fetch_add (&team->sleepers, 1);
  while (!is_over (team, seen))
    pthread_cond_wait (&team->wake, &team->mutex);
  atomic_fetch_sub (&team->sleepers, 1);
  pthread_mutex_unlock (&team->mutex);
}

static void *
member_thread (void *data)
{
  member *m = data;
  nn_team *team = m->team;
  for (unsigned seen = 0;; seen++) {
    wait_for_round (team, seen);
    if (atomic_load_explicit (&team->quit, memory_order_acquire))
      return NULL;
    do_parts (team, m->index);
    atomic_fetch_sub_explicit (&team->busy, 1, memory_order_release);
  }
}

static void
wake_sleepers (nn_team *team)
{
  if (atomic_load (&team->sleepers) == 0)
    return;
  pthread_mutex_lock (&team->mutex);
  pthread_cond_broadcast (&team->wake);
  pthread_mutex_unlock (&team->mutex);
}

nn_team *
nn_team_new (int threads, nn_error *err)
{
  nn_team *team = calloc (1, sizeof *team);
  if (team != NULL)
    team->members = calloc ((size_t) threads, sizeof *team->members);
  if (team == NULL || team->members == NULL) {
    free (team);
    nn_fail (err, NN_ERR_MEMORY, "out of memory for %d threads", threads);
    return NULL;
  }
  team->threads = threads;
  pthread_mutex_init (&team->mutex, NULL);
  pthread_cond_init (&team->wake, NULL);
  for (int i = 1; i < threads; i++) {
    member *m = &team->members[i];
    *m = (member) { .team = team, .index = i };
    int reason = pthread_create (&m->thread, NULL, member_thread, m);
    if (reason != 0) {
      nn_fail (err, NN_ERR_DEVICE, "cannot start thread %d of %d: %s", i + 1, threads, strerror (reason));
      nn_team_free (team);
      return NULL;
    }
    team->started++;
  }
  return team;
}

void
nn_team_free (nn_team *team)
{
  if (team == NULL)
    return;
  atomic_store (&team->quit, true);
  pthread_mutex_lock (&team->mutex);
  pthread_cond_broadcast (&team->wake);
  pthread_mutex_unlock (&team->mutex);
  for (int i = 1; i <= team->started; i++)
    pthread_join (team->members[i].thread, NULL);
  pthread_cond_destroy (&team->wake);
  pthread_mutex_destroy (&team->mutex);
  free (team->members);
  free (team);
}

void
nn_team_enter (nn_team *team, int threads)
{
  current.team = team;
  current.threads = threads;
}

void
nn_team_leave (void)
{
  current.team = NULL;
  current.threads = 1;
}

int
nn_cpu_threads (void)
{
  return current.threads > 1 ? current.threads : 1;
}

int64_t
nn_cpu_least (int64_t operations)
{
  return operations < PART_OPERATIONS ? PART_OPERATIONS / (operations > 0 ? operations : 1) : 1;
}

void
nn_cpu_share (int64_t n, int64_t least, nn_cpu_work work, const void *arg)
{
  nn_team *team = current.team;
  if (n <= 0)
    return;
  if (team == NULL || team->threads == 1 || n <= least) {
    work (arg, 0, n, 0);
    return;
  }
  int64_t parts = (int64_t) team->threads * PARTS_A_THREAD;
  int64_t part = (n + parts - 1) / parts;
  team->work = work;
  team->arg = arg;
  team->n = n;
  team->part = part > least ? part : least;
  atomic_store_explicit (&team->next, 0, memory_order_relaxed);
  atomic_store_explicit (&team->busy, team->threads - 1, memory_order_relaxed);
  atomic_fetch_add (&team->round, 1);
  wake_sleepers (team);
  do_parts (team, 0);
  for (int i = 0; atomic_load_explicit (&team->busy, memory_order_acquire) > 0; i++)
    if (i < LOOKS)
      pause_briefly ();
    else
      sched_yield ();
}
