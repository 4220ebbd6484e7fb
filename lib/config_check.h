/* config_check: the checks that rows of the table of variables name. Used by config_options.c and
 * config.c.
 *
 * Each returns NULL when the value is good, else a static text that says what is wanted and holds
 * nothing of the value. A check may shorten the value in place and set other fields of `c`. */
#ifndef ALICERCE_CONFIG_CHECK_H
#define ALICERCE_CONFIG_CHECK_H

struct config;

/* A postgres:// or postgresql:// URL that libpq can read, with ports that exist. */
const char *config_check_database_url(struct config *c, char *value);
const char *config_check_redis_host(struct config *c, char *value);
/* Sets user, password, port and db of Redis; leaves the host as the value. */
const char *config_check_redis_url(struct config *c, char *value);
/* An IPv4 or IPv6 address. */
const char *config_check_address(struct config *c, char *value);
/* One secret, or two separated by a comma. */
const char *config_check_one_or_two(struct config *c, char *value);
/* An http or https origin (RFC 6454 section 6.2); drops one slash at its end. */
const char *config_check_origin(struct config *c, char *value);
/* An access token: visible ASCII alone, so that a stray newline or space is seen at the start. */
const char *config_check_token(struct config *c, char *value);
/* An http or https URL without user, query and fragment; drops one slash at its end. */
const char *config_check_base_url(struct config *c, char *value);

/* The same of a bucket, for which both keys must be there. */
const char *config_check_storage_url(struct config *c, char *value);
/* A region of AWS signatures: letters, digits, '-' and '_'. */
const char *config_check_region(struct config *c, char *value);

/* One secret of 32 bytes or more, or two separated by a comma. */
const char *config_check_jwt_secret(struct config *c, char *value);
/* An e-mail address. */
const char *config_check_email(struct config *c, char *value);
/* A password that the rules let pass, for c->admin_email, which must be there. */
const char *config_check_admin_password(struct config *c, char *value);
/* A list for cidr_parse_list. */
const char *config_check_networks(struct config *c, char *value);

/* Frees a text and leaves nothing of it in memory. NULL is fine. */
void config_free_text(char *s);

#endif
