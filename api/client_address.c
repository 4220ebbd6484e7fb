/* client_address: owns the reading of X-Forwarded-For. */
#include "client_address.h"

#include <microhttpd.h>
#include <string.h>

#include "loop.h"

/* What the proxy added is last; what stands before it the client may have made up. */
static bool last_hop(struct slice list, struct cidr_address *ret)
{
    if (!list.data)
        return false;
    const char *comma = memrchr(list.data, ',', list.len);
    const char *entry = comma ? comma + 1 : list.data;
    size_t len = comma ? list.len - (size_t)(comma + 1 - list.data) : list.len;
    while (len && (*entry == ' ' || *entry == '\t')) {
        entry++;
        len--;
    }
    return len && cidr_parse_address(entry, len, ret);
}

struct cidr_address client_address_whole(const struct request *r)
{
    struct cidr_address peer = {{0}}, hop;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info && cidr_of_socket(info->client_addr, &peer) &&
        cidr_contains(&r->loop->app->proxies, &peer) &&
        last_hop(r->headers[HEADER_FORWARDED_FOR], &hop))
        peer = hop;
    return peer;
}

struct cidr_address client_address(const struct request *r)
{
    struct cidr_address client = client_address_whole(r);
    cidr_client_of(&client);
    return client;
}
