"""The two programs as an operator meets them: flags, variables, exit codes (enum exit_code)."""
import os
import re
import signal
import socket
import time

from case import ServerCase, StackCase, eventually
import client
import servers
from servers import run_program

BOTH = ("alicerce-api", "alicerce-worker")
OK, USAGE, MIGRATION, UNAVAILABLE, INTERNAL, OS, BAD_CONFIG = 0, 64, 65, 69, 70, 71, 78
AWAY = {"DATABASE_URL": "postgresql://a:b@127.0.0.1:1/c", "REDIS_PORT": "1", "REDIS_HOST": "127.0.0.1"}
API_ONLY = ("HOST", "PORT", "THREADS", "REQUEST_TIMEOUT_MS", "POSTS_CACHE_TTL", "META_APP_SECRET",
            "META_VERIFY_TOKEN", "FRONTEND_URL")
SHARED = ("DATABASE_URL", "REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD", "REDIS_URL", "LOG_LEVEL", "LOG_FORMAT")
SECRETS = {"DATABASE_URL": "postgresql://u:SEGREDO-9@h:port/x", "REDIS_URL": "redis://:SEGREDO-9@h:porta",
           "META_APP_SECRET": "SEGREDO-9,b,c"}


class Flags(ServerCase):
    def test_help_goes_to_stdout_with_every_variable(self):
        for program in BOTH:
            done = run_program(program, "--help")
            self.assertEqual((done.returncode, done.stderr), (OK, ""))
            for name in SHARED + (API_ONLY if program == "alicerce-api" else ()):
                self.assertRegex(done.stdout, rf"(?m)^\s*{name}\b", program)
            for flag in ("--migrate", "--healthcheck", "--check-config", "--version", "--help"):
                self.assertIn(flag, done.stdout, program)
            for code in (64, 65, 69, 70, 71, 78):
                self.assertIn(str(code), done.stdout, program)

    def test_the_worker_tells_of_its_queue_commands(self):
        self.assertIn("fila status", run_program("alicerce-worker", "--help").stdout)

    def test_version_goes_to_stdout(self):
        for program in BOTH:
            done = run_program(program, "--version")
            self.assertEqual((done.returncode, done.stderr), (OK, ""))
            self.assertRegex(done.stdout, rf"^{program} \d+\.\d+\.\d+\n$")

    def test_help_and_version_need_no_good_configuration(self):
        for program in BOTH:
            for flag in ("--help", "--version"):
                self.assertEqual(run_program(program, flag, env={"REDIS_PORT": "x"}).returncode, OK)

    def test_unknown_arguments_are_64_with_one_line(self):
        for program in BOTH:
            for arguments in (["--nada"], ["nada"], [""], ["--help", "--version"], ["--migrate", "x"], ["-h", "x"],
                              ["--"], ["fila", "nada"] if "worker" in program else ["fila"]):
                with self.subTest(program=program, arguments=arguments):
                    done = run_program(program, *arguments, env=AWAY)
                    self.assertEqual((done.returncode, done.stdout), (USAGE, ""))
                    self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_check_config_says_0_for_the_defaults_and_touches_no_server(self):
        for program in BOTH:
            begun = time.monotonic()
            done = run_program(program, "--check-config", env=AWAY)
            self.assertEqual(done.returncode, OK, done.stderr)
            self.assertLess(time.monotonic() - begun, 3)
            self.assertEqual(run_program(program, "--check-config").returncode, OK)


class Variables(ServerCase):
    def bad(self, program, env):
        """One line on stderr that names the variable, exit code 78."""
        for arguments in ([], ["--check-config"]):
            done = run_program(program, *arguments, env={**AWAY, **env})
            self.assertEqual(done.returncode, BAD_CONFIG, (env, done))
            self.assertEqual(done.stdout, "")
            lines = done.stderr.splitlines()
            self.assertEqual(len(lines), 1, done.stderr)
        return lines[0]

    def test_a_bad_value_names_the_variable_what_it_got_and_what_it_wants(self):
        wrong = {"REDIS_PORT": ("0", "65536", "x", "6379x", "-1", "1e3", " 1"), "LOG_LEVEL": ("tudo", "INFO"),
                 "LOG_FORMAT": ("xml",)}
        api = {"PORT": ("0", "70000", "abc", "80 "), "THREADS": ("0", "65", "x"), "HOST": ("localhost", "999.1.1.1", "*"),
               "REQUEST_TIMEOUT_MS": ("99", "60001", "5s"), "POSTS_CACHE_TTL": ("0", "-5", "86401"),
               "FRONTEND_URL": ("localhost", "ftp://x", "http://a/b", "javascript:alert(1)")}
        for program in BOTH:
            for name, values in {**wrong, **(api if program == "alicerce-api" else {})}.items():
                for value in values:
                    with self.subTest(program=program, name=name, value=value):
                        line = self.bad(program, {name: value})
                        self.assertIn(f"{name}: ", line)
                        self.assertIn(value.strip(), line)
                        self.assertIn("want", line)

    def test_a_bad_secret_is_never_shown(self):
        for name, value in SECRETS.items():
            with self.subTest(name):
                line = self.bad("alicerce-api", {name: value})
                self.assertIn(name, line)
                self.assertNotIn("SEGREDO", line)

    def test_bad_database_urls_are_refused(self):
        for url in ("mysql://a/b", "postgresql://a:b@h:99999/c", "postgresql://h?nada=1", "x", "host=a"):
            with self.subTest(url):
                self.assertIn("DATABASE_URL", self.bad("alicerce-api", {"DATABASE_URL": url}))

    def test_variables_of_the_api_do_not_bother_the_worker(self):
        done = run_program("alicerce-worker", "--check-config", env={"PORT": "x", "THREADS": "x"})
        self.assertEqual(done.returncode, OK, done.stderr)

    def test_an_empty_variable_counts_as_not_set(self):
        done = run_program("alicerce-api", "--check-config", env={"PORT": "", "META_APP_SECRET": "", "REDIS_URL": ""})
        self.assertEqual(done.returncode, OK, done.stderr)

    def test_a_secret_may_come_from_a_file(self):
        folder = servers.temporary_folder()
        path = os.path.join(folder, "segredo")

        def write(data):
            with open(path, "wb") as f:
                f.write(data)
        write(b"um-segredo\n")
        self.assertEqual(run_program("alicerce-api", "--check-config", env={"META_APP_SECRET_FILE": path}).returncode, OK)
        for data in (b"", b"\n", b"a\0b", b"x" * 20000):
            write(data)
            with self.subTest(data[:10]):
                line = self.bad("alicerce-api", {"META_APP_SECRET_FILE": path})
                self.assertIn("META_APP_SECRET_FILE", line)
        for missing in (path + "-nada", folder):
            self.assertIn("META_APP_SECRET_FILE", self.bad("alicerce-api", {"META_APP_SECRET_FILE": missing}))
        write(b"x")
        line = self.bad("alicerce-api", {"META_APP_SECRET_FILE": path, "META_APP_SECRET": "SEGREDO"})
        self.assertIn("META_APP_SECRET", line)
        self.assertNotIn("SEGREDO", line.replace("META_APP_SECRET", ""))


class Start(StackCase):
    options = {"worker": 0}

    def env(self, **more):
        return {**self.stack.addresses(), "HOST": "127.0.0.1", "PORT": str(servers.free_port()), **more}

    def start(self, env):
        program = servers.Program("alicerce-api", servers.temporary_folder(), env, port=int(env["PORT"]))
        self.addCleanup(program.stop)
        program.start()
        return program

    def test_a_port_that_is_taken_is_71_and_named(self):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = str(other.getsockname()[1])
            done = run_program("alicerce-api", env=self.env(PORT=port))
        self.assertEqual(done.returncode, OS, done.stderr)
        line = done.stderr.strip().splitlines()[-1]
        self.assertIn("PORT", line)
        self.assertIn(port, line)

    def test_a_port_that_another_api_has_is_taken_too(self):
        """Our loops share a port by SO_REUSEPORT; two programs must not by accident."""
        done = run_program("alicerce-api", env=self.env(PORT=str(self.api.port)))
        self.assertEqual(done.returncode, OS, done.stderr)
        self.assertIn("PORT", done.stderr)

    def test_an_address_that_is_not_ours_is_71(self):
        done = run_program("alicerce-api", env=self.env(HOST="192.0.2.1"))
        self.assertEqual(done.returncode, OS, done.stderr)
        self.assertIn("HOST", done.stderr)

    def test_it_listens_on_ipv6_when_told_to(self):
        if not has_ipv6():
            self.skipTest("no IPv6 on the loopback")
        env = self.env(HOST="::1")
        program = servers.Program("alicerce-api", servers.temporary_folder(), env, port=int(env["PORT"]))
        self.addCleanup(program.stop)
        program.launch()
        self.assertTrue(eventually(lambda: answers_on("::1", program.port)), program.log_tail())
        self.assertEqual(run_program("alicerce-api", "--healthcheck", env=env).returncode, OK)

    def test_healthcheck_is_0_while_it_answers_and_69_else(self):
        env = self.env(PORT=str(self.api.port))
        self.assertEqual(run_program("alicerce-api", "--healthcheck", env=env).returncode, OK)
        self.assertEqual(run_program("alicerce-api", "--healthcheck", env={**env, "HOST": "0.0.0.0"}).returncode, OK)
        done = run_program("alicerce-api", "--healthcheck", env=self.env())
        self.assertEqual(done.returncode, UNAVAILABLE)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.api.freeze()
        try:
            begun = time.monotonic()
            self.assertEqual(run_program("alicerce-api", "--healthcheck", env=env).returncode, UNAVAILABLE)
            self.assertLess(time.monotonic() - begun, 6)
        finally:
            self.api.thaw()

    def test_a_redis_that_may_evict_is_refused_by_name(self):
        for policy in ("allkeys-lru", "volatile-ttl"):
            self.stack.redis.call("CONFIG", "SET", "maxmemory-policy", policy)
            try:
                for program in BOTH:
                    with self.subTest(program=program, policy=policy):
                        done = run_program(program, env=self.env())
                        self.assertEqual(done.returncode, BAD_CONFIG, done.stderr)
                        self.assertIn("maxmemory-policy", done.stderr)
                        self.assertIn(policy, done.stderr)
                        self.assertIn("noeviction", done.stderr)
            finally:
                self.stack.redis.call("CONFIG", "SET", "maxmemory-policy", "noeviction")

    def test_a_redis_password_is_used_and_never_shown(self):
        redis = servers.Redis(servers.temporary_folder(), durable=False, password="SEGREDO-7").start()
        self.addCleanup(redis.stop)
        secret_file = os.path.join(redis.folder, "senha")
        with open(secret_file, "w", encoding="utf-8") as f:
            f.write("SEGREDO-7\n")
        ways = ({"REDIS_PASSWORD": "SEGREDO-7", "REDIS_PORT": str(redis.port)},
                {"REDIS_PASSWORD_FILE": secret_file, "REDIS_PORT": str(redis.port)},
                {"REDIS_URL": f"redis://:SEGREDO-7@127.0.0.1:{redis.port}/1", "REDIS_PORT": "1"})
        for way in ways:
            with self.subTest(list(way)):
                program = self.start({**self.env(), "LOG_LEVEL": "debug", **way})
                program.wait_serving()
                self.assertStatus(client.call(program.port, "GET", "/api/contador"), 200)
                self.assertEqual(program.stop(), OK)
                self.assertNotIn("SEGREDO", program.log())
                self.assertNotIn("alicerce:alicerce", program.log())

    def test_who_comes_right_after_the_start_waits_for_the_first_connections(self):
        for _ in range(5):
            program = self.start(self.env())  # /health has answered, the servers may not
            for method, path, options in (("GET", "/api/posts", {}), ("GET", "/api/contador", {}),
                                          ("POST", "/api/posts", {"json": {"titulo": "cedo", "conteudo": "x"}})):
                self.assertStatus(client.call(program.port, method, path, **options), (200, 201))
            self.assertEqual(program.stop(), OK)

    def test_a_wrong_redis_password_leaves_the_api_alive_and_says_why(self):
        redis = servers.Redis(servers.temporary_folder(), durable=False, password="SEGREDO-8").start()
        self.addCleanup(redis.stop)
        program = self.start({**self.env(), "REDIS_PORT": str(redis.port), "REDIS_PASSWORD": "ERRADA-8"})
        self.assertTrue(eventually(lambda: client.call(program.port, "GET", "/api/posts").status == 200, 10))
        answer = client.call(program.port, "GET", "/status")
        self.assertEqual((answer.status, answer.json["cache"]), (503, "desconectado"))
        self.assertTrue(eventually(lambda: re.search("(?i)redis|cache", program.log())))
        self.assertNotIn("ERRADA-8", program.log())

    def test_a_wrong_database_password_leaves_the_api_alive_and_says_why(self):
        url = self.stack.pg.url.replace(":alicerce@", ":ERRADA-9@")
        program = self.start({**self.env(), "DATABASE_URL": url})
        self.assertStatus(client.call(program.port, "GET", "/health"), 200)
        self.assertStatus(client.call(program.port, "GET", "/api/posts"), 503)
        self.assertTrue(eventually(lambda: "DATABASE_URL" in program.log()), program.log())
        self.assertNotIn("ERRADA-9", program.log())

    def test_the_database_url_may_come_from_a_file(self):
        folder = servers.temporary_folder()
        path = os.path.join(folder, "url")
        with open(path, "w", encoding="utf-8") as f:
            f.write(self.stack.pg.url + "\n")
        env = self.env(DATABASE_URL_FILE=path)
        del env["DATABASE_URL"]
        program = self.start(env)
        program.wait_serving()

    def test_several_hosts_are_tried(self):
        dead = servers.free_port()
        url = f"postgresql://alicerce:alicerce@127.0.0.1:{dead},127.0.0.1:{self.stack.pg.port}/alicerce" \
              "?target_session_attrs=read-write"
        program = self.start(self.env(DATABASE_URL=url))
        program.wait_serving()
        self.assertStatus(client.call(program.port, "GET", "/api/posts"), 200)

    def test_log_lines_are_json_or_text(self):
        for form in ("json", "text"):
            program = self.start(self.env(LOG_FORMAT=form))
            program.wait_serving()
            self.assertEqual(program.stop(), OK)
            lines = program.log().splitlines()
            self.assertTrue(lines)
            if form == "json":
                self.assertEqual(len(program.events()), len(lines), program.log())
                for event in program.events():
                    self.assertLessEqual({"ts", "nivel", "programa", "evento", "msg"}, set(event))
            else:
                self.assertFalse(program.events())

    def test_sigterm_and_sigint_end_it_with_0(self):
        for sig in (signal.SIGTERM, signal.SIGINT):
            program = self.start(self.env())
            program.wait_serving()
            program.signal(sig)
            self.assertEqual(program.wait(10), OK)

    def test_sigterm_ends_it_while_it_waits_for_postgresql(self):
        program = self.start({**self.env(), "DATABASE_URL": AWAY["DATABASE_URL"]})
        program.signal(signal.SIGTERM)
        self.assertEqual(program.wait(10), OK)

    def test_one_thread_or_many_serve_alike(self):
        for threads in ("1", "4"):
            program = self.start(self.env(THREADS=threads))
            program.wait_serving()
            for path in ("/health", "/api/posts", "/api/contador", "/api/stats"):
                for _ in range(8):
                    self.assertStatus(client.call(program.port, "GET", path), 200)
            self.assertEqual(program.stop(), OK)

    def test_it_tells_systemd_when_it_is_ready(self):
        folder = servers.temporary_folder()
        path = os.path.join(folder, "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.bind(path)
            s.settimeout(10)
            program = self.start(self.env(NOTIFY_SOCKET=path))
            self.assertIn(b"READY=1", s.recv(1000))
            program.signal(signal.SIGTERM)
            self.assertIn(b"STOPPING=1", s.recv(1000))
            self.assertEqual(program.wait(10), OK)


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
            return True
    except OSError:
        return False


def answers_on(host, port):
    try:
        with client.Connection(port, 2, host) as c:
            return c.call("GET", "/health").status == 200
    except OSError:
        return False


class QueueCommands(StackCase):
    """In short; tests/flow/test_fila.py has the rest."""

    options = {"env": {"META_APP_SECRET": "s"}}

    def fila(self, *words):
        return run_program("alicerce-worker", "fila", *words, env=self.stack.addresses())

    def test_status_tells_length_and_dead_letters(self):
        done = self.fila("status")
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assertTrue(done.stdout.strip())

    def test_dead_letters_are_listed_and_sent_again(self):
        self.stack.redis.call("XADD", "fila:webhooks", "*", "corpo", "nao sou json")
        self.assertTrue(eventually(lambda: self.stack.pg.value(
            "SELECT count(*) FROM entregas WHERE estado = 'morta'") != "0", 10))
        dead = self.stack.pg.value("SELECT min(id) FROM entregas WHERE estado = 'morta'")
        done = self.fila("mortas")
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assertRegex(done.stdout, rf"\b{dead}\b")
        self.stack.pg.query(f"UPDATE entregas SET corpo = '{{\"object\":\"page\",\"entry\":"
                           f"[{{\"id\":\"1\",\"changes\":[{{\"field\":\"feed\",\"value\":{{}}}}]}}]}}' WHERE id = {dead}")
        done = self.fila("reenviar", dead)
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assertTrue(eventually(lambda: self.stack.pg.value(
            f"SELECT estado FROM entregas WHERE id = {dead}") == "processada", 10))

    def test_a_pause_holds_the_queue_until_it_goes_on(self):
        self.assertEqual(self.fila("pausar").returncode, OK)
        time.sleep(1.5)  # a read that was out when the pause began may still bring something
        self.stack.redis.call("XADD", "fila:webhooks", "*", "corpo", '{"object":"page","entry":[],"pausa":1}')
        time.sleep(1.5)
        here = "SELECT count(*) FROM entregas WHERE encode(corpo, 'escape') LIKE '%pausa%'"
        self.assertEqual(self.stack.pg.value(here), "0")
        self.assertEqual(self.fila("retomar").returncode, OK)
        self.assertTrue(eventually(lambda: self.stack.pg.value(here) == "1", 10))

    def test_bad_ids_are_refused(self):
        for words in (("reenviar",), ("reenviar", "x"), ("reenviar", "0"), ("reenviar", "1; DROP TABLE"), ()):
            with self.subTest(words):
                self.assertEqual(self.fila(*words).returncode, USAGE)

    def test_servers_that_are_away_are_69(self):
        done = run_program("alicerce-worker", "fila", "status", env=AWAY)
        self.assertEqual(done.returncode, UNAVAILABLE, done)
        self.assertEqual(run_program("alicerce-worker", "--healthcheck", env=AWAY).returncode, UNAVAILABLE)
        self.assertEqual(run_program("alicerce-worker", "--healthcheck", env=self.stack.addresses()).returncode, OK)
