/* stop: owns the two signals' handlers and what they may touch: an atomic and an eventfd. */
#include "stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "config.h"

atomic_int stop_asked;
static int fd = -1;

static void on_signal(int signal)
{
    (void)signal;
    int before = errno;
    if (atomic_fetch_add(&stop_asked, 1) > 0)
        _exit(EXIT_OK);
    uint64_t one = 1;
    ssize_t done = write(fd, &one, sizeof one);
    (void)done;
    errno = before;
}

/* No SA_RESTART: whatever blocks while the program starts comes back to look. */
bool stop_install(void)
{
    struct sigaction act = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN};
    sigemptyset(&act.sa_mask);
    fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return fd >= 0 && sigaction(SIGTERM, &act, NULL) == 0 && sigaction(SIGINT, &act, NULL) == 0 &&
           sigaction(SIGPIPE, &ignore, NULL) == 0;
}

int stop_fd(void)
{
    return fd;
}

void stop_sleep(int64_t ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    poll(&p, 1, (int)ms);
}
