#pragma once

// All that another program needs: an Engine, opened on a bundle, is asked about films.
#include "moviechat/engine.h"
#include "moviechat/error.h"
#include "moviechat/result.h"
#include "moviechat/settings.h"
