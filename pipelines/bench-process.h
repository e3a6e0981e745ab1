/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What this process and its children, the render workers, take of the machine, as /proc tells. */
#pragma once

/* Seconds of CPU time since the start: of this process, and of its children, those that have ended
 * and been waited for included. In steps of 10 ms for children that run. */
void bench_process_cpu (double *self, double *children);

/* Bytes of memory now: proportional set sizes, in which what processes share is shared out among
 * them, of this process and its children. NAN where the system does not tell. */
double bench_process_memory (void);
