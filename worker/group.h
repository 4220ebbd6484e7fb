/* group: sees to it that the stream's consumer group is there, made from the start of what is there
 * whenever it is found missing, and that workers which died are not members for ever. One thread.
 */
#ifndef ALICERCE_GROUP_H
#define ALICERCE_GROUP_H

#include <stdbool.h>

struct ev;
struct group;
struct rds;
struct worker_counters;

/* NULL without memory. */
struct group *group_new(struct ev *ev, struct rds *rds, struct worker_counters *counters);
/* After rds was freed. NULL is fine. */
void group_free(struct group *g);
/* Is it there, as far as is known? */
bool group_there(const struct group *g);
/* A claim has found it missing. */
void group_lost(struct group *g);
/* Does what is due, while Redis is there. */
void group_pump(struct group *g);

#endif
