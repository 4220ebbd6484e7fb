/* wire: owns the two calls and the number of refusals that are still to come on each thread. */
#include "wire.h"

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "reply.h"
#include "text.h"

enum { JOINED_MAX = 1400 }; /* bytes of an answer that are worth copying into one piece */

static _Thread_local unsigned expected;

void wire_expect_refusal(void)
{
    expected++;
}

/* The code of a page that libmicrohttpd made by itself; 0 for everything else. */
static int64_t refusal_code(const char *head, size_t len)
{
    static const char start[] = "HTTP/1.1 ";
    int64_t code = 0;
    if (len < sizeof start + 3 || memcmp(head, start, sizeof start - 1) != 0 ||
        !text_int(head + sizeof start - 1, 3, 400, 599, &code) ||
        memmem(head, len, "X-Request-Id", 12))
        return 0;
    return code;
}

/* What is sent in its place. A version that nobody speaks is the client's mistake: 505 would count
 * as the server's. */
static enum status refusal_of(int64_t code)
{
    return code == 413   ? STATUS_TOO_LARGE
           : code == 414 ? STATUS_URI_TOO_LONG
           : code == 431 ? STATUS_HEADERS_TOO_LARGE
           : code == 500 ? STATUS_INTERNAL
                         : STATUS_BAD_REQUEST;
}

/* libmicrohttpd closes the connection behind it. */
static bool replaced(int fd, const char *head, size_t len)
{
    int64_t code = refusal_code(head, len);
    if (!code)
        return false;
    expected--;
    reply_raw(fd, refusal_of(code), NULL);
    return true;
}

/* send(2) and sendmsg(2), whose other names in libc are left alone. */
ssize_t send(int fd, const void *data, size_t len, int flags)
{
    if (expected && replaced(fd, data, len))
        return (ssize_t)len;
    return sendto(fd, data, len, flags, NULL, 0);
}

/* By its number: the libc's own sendmmsg may be made of sendmsg, which is the one below. Copied,
 * since some libcs' headers have padding that the kernel takes for a part of a length. */
static ssize_t send_pieces(int fd, const struct msghdr *m, int flags)
{
    struct msghdr copy = {.msg_name = m->msg_name, .msg_namelen = m->msg_namelen};
    copy.msg_iov = m->msg_iov;
    copy.msg_iovlen = m->msg_iovlen;
    copy.msg_control = m->msg_control;
    copy.msg_controllen = m->msg_controllen;
    return syscall(SYS_sendmsg, fd, &copy, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
    char joined[JOINED_MAX];
    const struct iovec *piece = m->msg_iov;
    if (m->msg_iovlen != 2 || m->msg_name || m->msg_control)
        return send_pieces(fd, m, flags);
    size_t len = piece[0].iov_len + piece[1].iov_len;
    if (expected && replaced(fd, piece[0].iov_base, piece[0].iov_len))
        return (ssize_t)len;
    if (len > sizeof joined)
        return send_pieces(fd, m, flags);
    memcpy(joined, piece[0].iov_base, piece[0].iov_len);
    memcpy(joined + piece[0].iov_len, piece[1].iov_base, piece[1].iov_len);
    return sendto(fd, joined, len, flags, NULL, 0);
}
