/* What libjwt 1.17 includes by this name and Debian's copy of its source lacks. For `make musl` alone. */
#ifndef ALICERCE_MUSL_BASE64_H
#define ALICERCE_MUSL_BASE64_H

/* Both write to what their caller has made large enough. The first ends its text with a NUL and returns its
 * length with the NUL; the second returns the number of bytes, 0 when the text is not base64. */
int jwt_Base64encode(char *out, const char *bytes, int len);
int jwt_Base64decode(char *out, const char *text);

#endif
