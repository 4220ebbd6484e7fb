/* env: owns the configuration that was loaded and the file that was made. */
#include "env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct config *env_config;
char env_said[4096];
static char file_path[64] = "";

void env_clear(void)
{
    clearenv();
    env_config = NULL;
}

void env_release(void)
{
    config_free(env_config);
    env_config = NULL;
    if (*file_path)
        unlink(file_path);
    *file_path = '\0';
}

TCase *env_case(Suite *s, const char *name)
{
    TCase *tc = tcase_create(name);
    tcase_add_checked_fixture(tc, env_clear, env_release);
    suite_add_tcase(s, tc);
    return tc;
}

void env_set(const char *name, const char *value)
{
    setenv(name, value, 1);
}

const char *env_file(const void *data, size_t len)
{
    strcpy(file_path, "/tmp/alicerce-config-XXXXXX");
    int fd = mkstemp(file_path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
    close(fd);
    return file_path;
}

struct config *env_load(enum config_program program)
{
    memset(env_said, 0, sizeof env_said);
    FILE *err = fmemopen(env_said, sizeof env_said - 1, "w");
    config_free(env_config);
    env_config = config_load(program, err);
    fclose(err);
    ck_assert_msg((env_config == NULL) == (*env_said != '\0'), "a line exactly when it fails: %s",
                  env_said);
    return env_config;
}

static void load_wrong(const char *name, const char *value)
{
    env_clear();
    env_set(name, value);
    ck_assert_msg(env_load(CONFIG_API) == NULL, "%s=%s was taken", name, value);
}

void env_wrong(const char *name, const char *value, const char *line)
{
    load_wrong(name, value);
    ck_assert_str_eq(env_said, line);
}

void env_wrong_unsaid(const char *name, const char *value)
{
    char start[64];
    load_wrong(name, value);
    snprintf(start, sizeof start, "alicerce: %s: got a value of ", name);
    ck_assert_msg(strncmp(env_said, start, strlen(start)) == 0, "%s", env_said);
    ck_assert_msg(strstr(env_said, value) == NULL, "%s", env_said);
    ck_assert_ptr_eq(strchr(env_said, '\n'), env_said + strlen(env_said) - 1);
}
