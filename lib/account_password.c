/* account_password: owns the rules that a password has to pass: length, not the address, neither a
 * common word with trimmings, nor one unit over and over, nor a walk along the keyboard.
 *
 * The list holds words and phrases, not every spelling: a password is looked up as it is and as its
 * core, without case, digits and signs around it, and with the usual stand-ins (4 for a, @ for a)
 * undone. So "Senha@2026!!!" is found under "senha". */
#include <string.h>

#include "account.h"
#include "text.h"

/* 12 characters or more reach this list, so what is shorter stands for all that is built on it. */
static const char *const common[] = {
    /* Portuguese */
    "senha", "minhasenha", "senhasegura", "senhaforte", "senhasecreta", "novasenha", "senhanova",
    "senhapadrao", "senhamestra", "senhadificil", "senhadoadmin", "admin", "administrador",
    "administradora", "adminadmin", "administracao", "usuario", "operador", "leitor", "gerente",
    "diretor", "diretoria", "supervisor", "suporte", "atendimento", "financeiro", "comercial",
    "empresa", "minhaempresa", "escritorio", "sistema", "servidor", "alicerce", "acesso",
    "acessonegado", "acessototal", "bemvindo", "bemvinda", "teste", "testeteste", "testando",
    "mudar", "mudarsenha", "trocar", "trocarsenha", "alterar", "temporaria", "provisoria", "brasil",
    "brasileiro", "brasileira", "saopaulo", "riodejaneiro", "belohorizonte", "salvador",
    "fortaleza", "curitiba", "portoalegre", "florianopolis", "recife", "brasilia", "portugal",
    "lisboa", "flamengo", "corinthians", "palmeiras", "vasco", "gremio", "internacional",
    "cruzeiro", "botafogo", "fluminense", "santos", "futebol", "amor", "teamo", "euteamo",
    "amoramor", "meuamor", "amorzinho", "amoreterno", "minhavida", "minhafamilia", "familia",
    "felicidade", "liberdade", "esperanca", "saudade", "coracao", "princesa", "estrela", "deus",
    "deusefiel", "deusefielsempre", "jesus", "jesuscristo", "jesusteama", "jesusmeama", "senhor",
    "maria", "jose", "joao", "ana", "pedro", "paulo", "carlos", "lucas", "gabriel", "rafael",
    "mariana", "juliana", "fernanda", "amanda", "bruno", "rodrigo", "marcelo", "janeiro",
    "fevereiro", "marco", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro",
    "novembro", "dezembro", "segunda", "terca", "quarta", "quinta", "sexta", "sabado", "domingo",
    "verao", "inverno", "outono", "primavera", "cachorro", "gatinho", "chocolate", "abacaxi",
    "banana", "batata", "abracadabra", "segredo", "secreto", "confidencial", "naosei", "esqueci",
    "esqueciasenha", "qualquercoisa", "abresesamo",
    /* English, as they are found everywhere */
    "password", "passwordpassword", "passw", "pass", "mypassword", "newpassword", "thepassword",
    "yourpassword", "passphrase", "administrator", "root", "rootroot", "superuser", "sysadmin",
    "welcome", "welcomehome", "letmein", "letmeinnow", "letmeinplease", "changeme", "changemenow",
    "pleasechange", "pleasechangeme", "default", "guest", "test", "testtest", "testing", "demo",
    "example", "temporary", "secret", "topsecret", "login", "access", "master", "mastermaster",
    "trustno", "iloveyou", "iloveyousomuch", "iloveyouforever", "loveyou", "love", "sunshine",
    "princess", "monkey", "dragon", "football", "baseball", "basketball", "superman", "batman",
    "spiderman", "starwars", "pokemon", "minecraft", "michael", "jordan", "jennifer", "computer",
    "internet", "whatever", "freedom", "shadow", "ninja", "hello", "helloworld", "hellohello",
    "google", "facebook", "instagram", "whatsapp", "microsoft", "windows", "linux", "postgres",
    "postgresql", "redis", "database", "server", "correcthorsebatterystaple",
    "correct horse battery staple", "nothing", "january", "february", "december", "summer",
    "winter", "spring", "autumn", "monday", "friday", "sunday",
    /* keyboards and alphabets with something in between */
    "qwerty", "qwertyqwerty", "qwertyuiop", "asdf", "asdfasdf", "asdfghjkl", "zxcvbnm", "qazwsx",
    "qazwsxedc", "qwertyasdfgh", "abc", "abcabc", "abcd", "abcdef", "abcdefgh", "azerty", "aaa",
    "xyz"};

/* Walks that need no list: the rows of a keyboard, the digits, the alphabet. */
static const char *const rows[] = {
    "abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjklç", "asdfghjkl", "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn"};

enum { BYTES_MAX = ACCOUNT_PASSWORD_MAX * 4 };

static char lower(char c)
{
    if (c >= 'A' && c <= 'Z')
        c = (char)(c + 'a' - 'A');
    return c;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80;
}

static bool is_common(const char *s, size_t len)
{
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
        if (strlen(common[i]) == len && memcmp(common[i], s, len) == 0)
            return true;
    return false;
}

/* 4 for a and so on, as everybody does it. */
static char plain_letter(char c)
{
    static const char from[] = "4@301!5$7", to[] = "aaeoiisst";
    const char *found = c ? strchr(from, c) : NULL;
    if (found)
        c = to[found - from];
    return c;
}

/* Without digits and signs at both ends, stand-ins within undone. */
static bool core_is_common(const char *s, size_t len)
{
    char core[BYTES_MAX];
    while (len && !is_letter(s[0])) {
        s++;
        len--;
    }
    while (len && !is_letter(s[len - 1]))
        len--;
    for (size_t i = 0; i < len; i++)
        core[i] = plain_letter(s[i]);
    return is_common(core, len);
}

/* "@dmin" and "passw0rd!": the stand-in stands at an end. */
static bool plain_is_common(const char *s, size_t len)
{
    char plain[BYTES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        char c = plain_letter(s[i]);
        if (is_letter(c))
            plain[n++] = c;
    }
    return is_common(plain, n);
}

/* One unit over and over, the last one perhaps cut: "abcabcabcabc", "senha1senha1". */
static bool is_repetition(const char *s, size_t len)
{
    for (size_t unit = 1; unit <= len / 2; unit++)
        if (memcmp(s, s + unit, len - unit) == 0)
            return true;
    return false;
}

static unsigned distinct(const char *s, size_t len)
{
    bool seen[256] = {false};
    unsigned n = 0;
    for (size_t i = 0; i < len; i++) {
        n += !seen[(unsigned char)s[i]];
        seen[(unsigned char)s[i]] = true;
    }
    return n;
}

static bool neighbours(const char *row, char a, char b)
{
    for (const char *p = row; p[0] && p[1]; p++)
        if ((p[0] == a && p[1] == b) || (p[0] == b && p[1] == a))
            return true;
    return a == b;
}

/* Steps to a neighbour on some row: in a walk nearly all are, in a text few. */
static bool is_walk(const char *s, size_t len)
{
    size_t steps = 0;
    for (size_t i = 1; i < len; i++)
        for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++)
            if (neighbours(rows[r], s[i - 1], s[i])) {
                steps++;
                break;
            }
    return steps * 4 >= (len - 1) * 3;
}

static bool is_email(const char *s, size_t len, const char *email)
{
    size_t whole = strlen(email), local = strcspn(email, "@");
    if (whole > ACCOUNT_EMAIL_MAX)
        return false;
    char folded[ACCOUNT_EMAIL_MAX + 1];
    for (size_t i = 0; i < whole; i++)
        folded[i] = lower(email[i]);
    return memmem(s, len, folded, whole) != NULL ||
           (local >= 6 && len < local + 6 && memmem(s, len, folded, local) != NULL);
}

static bool has_control(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
            return true;
    return false;
}

const char *account_password_fault(const char *s, size_t len, const char *email)
{
    char low[BYTES_MAX];
    size_t chars;
    if (!text_utf8(s, len, &chars) || chars < ACCOUNT_PASSWORD_MIN || chars > ACCOUNT_PASSWORD_MAX)
        return "deve ter de 12 a 128 caracteres";
    if (has_control(s, len))
        return "não pode ter caracteres de controle";
    for (size_t i = 0; i < len; i++)
        low[i] = lower(s[i]);
    const char *fault = NULL;
    if (email && is_email(low, len, email))
        fault = "não pode ser o endereço de e-mail";
    else if (is_repetition(low, len) || distinct(low, len) < 5)
        fault = "repete sempre o mesmo: escolha outra";
    else if (is_walk(low, len))
        fault = "é uma sequência do teclado ou do alfabeto: escolha outra";
    else if (is_common(low, len) || core_is_common(low, len) || plain_is_common(low, len))
        fault = "é uma senha comum demais: escolha outra";
    explicit_bzero(low, sizeof low);
    return fault;
}
