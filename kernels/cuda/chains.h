/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The node "Chain": several elementwise nodes in one. */
#pragma once

#define NN_CHAIN_STEPS "steps"   /* INTS: function, a, b, c of each step (nn_step in elementwise.h) */
#define NN_CHAIN_VALUES "values" /* FLOATS: alpha, beta of each */
#define NN_CHAIN_NAMES "joined"  /* STRING: the nodes' operators in the order of the steps: "Clip, Sub, Div, Log" */
