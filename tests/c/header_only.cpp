#include "header_only.c"
