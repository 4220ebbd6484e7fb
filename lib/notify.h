/* notify: tells systemd how the program is, by sd_notify(3)'s protocol and without its library. */
#ifndef ALICERCE_NOTIFY_H
#define ALICERCE_NOTIFY_H

/* Sends `state` ("READY=1", "STOPPING=1") as one datagram to the socket named by $NOTIFY_SOCKET;
 * does nothing without it. Never blocks and never fails aloud: systemd notices what does not come.
 */
void notify_systemd(const char *state);

#endif
