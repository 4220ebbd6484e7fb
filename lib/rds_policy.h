/* rds_policy: which keys Redis throws away when it is full, as its INFO tells; for rds alone. */
#ifndef ALICERCE_RDS_POLICY_H
#define ALICERCE_RDS_POLICY_H

#include <stdbool.h>
#include <stddef.h>

enum { RDS_POLICY_MAX = 32 }; /* with its NUL; the longest there is has 15 */

/* From the text of `INFO memory` (Redis documentation, INFO). false: it is not told. */
bool rds_policy_find(const char *info, size_t len, char ret[static RDS_POLICY_MAX]);

#endif
