/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "family.h"

extern const nn_family nn_family_picodet;
