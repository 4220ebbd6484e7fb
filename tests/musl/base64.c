/* base64 for libjwt, by OpenSSL (EVP_EncodeBlock(3)). */
#include "base64.h"

#include <openssl/evp.h>
#include <string.h>

int jwt_Base64encode(char *out, const char *bytes, int len)
{
    return EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)bytes, len) + 1;
}

int jwt_Base64decode(char *out, const char *text)
{
    int len = (int)strlen(text);
    int n = EVP_DecodeBlock((unsigned char *)out, (const unsigned char *)text, len);
    for (int i = len - 1; n > 0 && i >= 0 && text[i] == '='; i--)
        n--;
    return n > 0 ? n : 0;
}
