/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In a build without oneDNN. */
#include "conv.h"

static nn_status
prepare (nn_call *call, nn_error *err)
{
  return nn_fail (err, NN_ERR_UNSUPPORTED, "this build has no oneDNN");
}

const nn_kernel nn_conv_onednn = { .prepare = prepare };
