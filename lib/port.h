/* port: an address and port to listen on, as the configuration has them. */
#ifndef ALICERCE_PORT_H
#define ALICERCE_PORT_H

#include <stdint.h>
#include <sys/socket.h>

/* host: an IPv4 or IPv6 address (config has checked it). Returns the length. */
socklen_t port_address(const char *host, uint16_t port, struct sockaddr_storage *ret);
/* Can it be listened on? 0, or errno of the attempt: libmicrohttpd does not keep it. */
int port_taken(const char *host, uint16_t port);

#endif
