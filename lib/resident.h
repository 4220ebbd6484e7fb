/* resident: gives back memory that only the start of a program needed. */
#ifndef ALICERCE_RESIDENT_H
#define ALICERCE_RESIDENT_H

/* Lets go of the pages of code and constants of the program and its libraries, most of which ran
 * once (initialisers of OpenSSL, GnuTLS, Kerberos, LDAP: more than half of an idle API's memory),
 * and of what malloc holds free. What is needed again is mapped again from the page cache at its
 * first use, a few hundred minor faults in all. Any thread; when a part of the start is over. */
void resident_trim(void);

#endif
