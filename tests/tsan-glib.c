/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GLib's locks for ThreadSanitizer, which sees none of them: GLib makes them of futexes, in a library that is not
 * instrumented. To be preloaded (docs/testing.md): mutexes, conditions and their like are pthread's then, which
 * are seen in all libraries, and what hands over objects without a lock says so.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include <gst/gst.h>

void __tsan_acquire (void *address);
void __tsan_release (void *address);

#define REAL(name) ((__typeof__ (&name)) real (#name))
#define EXPORT __attribute__ ((visibility ("default")))

static void *
real (const char *name)
{
  void *address = dlsym (RTLD_NEXT, name);

  if (!address)
    abort ();
  return address;
}

/* Children are not to be preloaded: render workers have too little memory for it. */
__attribute__ ((constructor)) static void
forget_preload (void)
{
  unsetenv ("LD_PRELOAD");
}

/* ---- locks: what GLib has room for a pointer for is made when it is first used ---- */

static void *
get (void **place, size_t size, void (*init) (void *))
{
  void *now = __atomic_load_n (place, __ATOMIC_ACQUIRE), *made;

  if (now)
    return now;
  made = calloc (1, size);
  init (made);
  if (__atomic_compare_exchange_n (place, &now, made, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    return made;
  free (made);
  return now;
}

static void
init_mutex (void *mutex)
{
  pthread_mutex_init (mutex, NULL);
}

static void
init_rec_mutex (void *mutex)
{
  pthread_mutexattr_t recursive;

  pthread_mutexattr_init (&recursive);
  pthread_mutexattr_settype (&recursive, PTHREAD_MUTEX_RECURSIVE);
  pthread_mutex_init (mutex, &recursive);
  pthread_mutexattr_destroy (&recursive);
}

static void
init_rw_lock (void *lock)
{
  pthread_rwlock_init (lock, NULL);
}

/* g_cond_wait_until() counts as g_get_monotonic_time() does. */
static void
init_cond (void *cond)
{
  pthread_condattr_t monotonic;

  pthread_condattr_init (&monotonic);
  pthread_condattr_setclock (&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init (cond, &monotonic);
  pthread_condattr_destroy (&monotonic);
}

#define MUTEX(m) ((pthread_mutex_t *) get (&(m)->p, sizeof (pthread_mutex_t), init_mutex))
#define REC_MUTEX(m) ((pthread_mutex_t *) get (&(m)->p, sizeof (pthread_mutex_t), init_rec_mutex))
#define RW_LOCK(l) ((pthread_rwlock_t *) get (&(l)->p, sizeof (pthread_rwlock_t), init_rw_lock))
#define COND(c) ((pthread_cond_t *) get (&(c)->p, sizeof (pthread_cond_t), init_cond))

#define CLEARS(type, function, destroy)         \
  EXPORT void function##_init (type *lock)      \
  {                                             \
    lock->p = NULL;                             \
  }                                             \
  EXPORT void function##_clear (type *lock)     \
  {                                             \
    if (lock->p)                                \
      destroy ((void *) lock->p);               \
    free (lock->p);                             \
    lock->p = NULL;                             \
  }
#define LOCKS(function, type, get, call) \
  EXPORT void function (type *lock) { call (get (lock)); }
#define TRIES(function, type, get, call) \
  EXPORT gboolean function (type *lock) { return call (get (lock)) == 0; }

CLEARS (GMutex, g_mutex, pthread_mutex_destroy)
LOCKS (g_mutex_lock, GMutex, MUTEX, pthread_mutex_lock)
LOCKS (g_mutex_unlock, GMutex, MUTEX, pthread_mutex_unlock)
TRIES (g_mutex_trylock, GMutex, MUTEX, pthread_mutex_trylock)
CLEARS (GRecMutex, g_rec_mutex, pthread_mutex_destroy)
LOCKS (g_rec_mutex_lock, GRecMutex, REC_MUTEX, pthread_mutex_lock)
LOCKS (g_rec_mutex_unlock, GRecMutex, REC_MUTEX, pthread_mutex_unlock)
TRIES (g_rec_mutex_trylock, GRecMutex, REC_MUTEX, pthread_mutex_trylock)
CLEARS (GRWLock, g_rw_lock, pthread_rwlock_destroy)
LOCKS (g_rw_lock_writer_lock, GRWLock, RW_LOCK, pthread_rwlock_wrlock)
LOCKS (g_rw_lock_writer_unlock, GRWLock, RW_LOCK, pthread_rwlock_unlock)
TRIES (g_rw_lock_writer_trylock, GRWLock, RW_LOCK, pthread_rwlock_trywrlock)
LOCKS (g_rw_lock_reader_lock, GRWLock, RW_LOCK, pthread_rwlock_rdlock)
LOCKS (g_rw_lock_reader_unlock, GRWLock, RW_LOCK, pthread_rwlock_unlock)
TRIES (g_rw_lock_reader_trylock, GRWLock, RW_LOCK, pthread_rwlock_tryrdlock)
CLEARS (GCond, g_cond, pthread_cond_destroy)
LOCKS (g_cond_signal, GCond, COND, pthread_cond_signal)
LOCKS (g_cond_broadcast, GCond, COND, pthread_cond_broadcast)

EXPORT void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  pthread_cond_wait (COND (cond), MUTEX (mutex));
}

EXPORT gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end)
{
  struct timespec until = { end / G_USEC_PER_SEC, end % G_USEC_PER_SEC * 1000 };

  return pthread_cond_timedwait (COND (cond), MUTEX (mutex), &until) != ETIMEDOUT;
}

/* ---- what hands over without a lock that is seen ---- */

/* Who drops the last reference frees what others wrote before they dropped theirs. */
#define UNREFS(function, type)        \
  EXPORT void function (type object)  \
  {                                   \
    __tsan_release (object);          \
    __tsan_acquire (object);          \
    REAL (function) (object);         \
  }

#undef g_object_unref
#undef gst_mini_object_unref
UNREFS (g_object_unref, gpointer)
UNREFS (gst_mini_object_unref, GstMiniObject *)

#undef g_once_init_leave
EXPORT void
g_once_init_leave (volatile void *location, gsize value)
{
  __tsan_release ((void *) location);
  REAL (g_once_init_leave) (location, value);
}

EXPORT void
g_async_queue_push (GAsyncQueue *queue, gpointer data)
{
  __tsan_release (data);
  REAL (g_async_queue_push) (queue, data);
}

EXPORT gpointer
g_async_queue_timeout_pop (GAsyncQueue *queue, guint64 timeout)
{
  gpointer data = REAL (g_async_queue_timeout_pop) (queue, timeout);

  if (data)
    __tsan_acquire (data);
  return data;
}

EXPORT gpointer
g_async_queue_try_pop (GAsyncQueue *queue)
{
  gpointer data = REAL (g_async_queue_try_pop) (queue);

  if (data)
    __tsan_acquire (data);
  return data;
}
