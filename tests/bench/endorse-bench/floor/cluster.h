/* cluster.h - a private PostgreSQL for the floor, with durable commits; gone with this process however it ends. */
#pragma once

#include "ca/base/err.h"

struct floor_cluster;

/*
 * Below TMPDIR or /tmp, by the newest PostgreSQL of /usr/lib/postgresql; as root: its user is
 * postgres. Takes some two seconds. ERR_INTERNAL "floor-cluster".
 */
CHECKED enum err floor_cluster_make(struct floor_cluster **out);
void floor_cluster_free(struct floor_cluster **cluster);
/* A superuser's. */
const char *floor_cluster_conninfo(const struct floor_cluster *cluster);

/* /usr/lib/postgresql/N/bin/`name` of the newest N; for free(). ERR_INTERNAL "floor-cluster". */
CHECKED enum err floor_cluster_program(const char *name, char **out);
