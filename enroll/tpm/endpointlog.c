#include "ca/base/err.h"
