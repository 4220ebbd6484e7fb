"""Private servers on free ports of the loopback: PostgreSQL, Redis, Alicerce's programs, all of them.

Used by the tests and by `make run`. This is the one module to import: what each server is made of stands
in process.py, databases.py and programs.py.

    with Stack(replicas=2, env={"META_APP_SECRET": "s"}) as stack:
        stack.api.url, stack.apis[1].port, stack.pg.query("SELECT 1"), stack.redis.call("PING")
        stack.pg.kill(); stack.pg.start()          # kill -9, then again on the same port and data
        stack.redis.freeze(); stack.redis.thaw()   # SIGSTOP, SIGCONT
"""
import os
import shutil
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from databases import PASSWORD, PostgreSQL, Redis, postgres_bin, postgres_template  # noqa: E402
from process import PROJECT, Server, Trouble, free_port, temporary_folder  # noqa: E402
from programs import Program, run_program  # noqa: E402

__all__ = ("PASSWORD", "PROJECT", "PostgreSQL", "Program", "Redis", "Server", "Stack", "Trouble", "free_port",
           "postgres_bin", "postgres_template", "run_program", "temporary_folder")


class Stack:
    """PostgreSQL, Redis, API replicas and the worker in one folder.

    folder: given, it is kept; else a temporary one. worker: how many. env: for both programs."""

    def __init__(self, folder=None, replicas=1, worker=1, durable=False, env=None, binaries=None,
                 pg_port=None, redis_port=None, api_port=None, pg_settings=None,
                 redis_settings=None, password=PASSWORD):
        self.kept = folder is not None
        self.folder = os.path.abspath(folder) if folder else temporary_folder()
        os.makedirs(self.folder, exist_ok=True)
        template = None if self.kept or password != PASSWORD else postgres_template()
        self.pg = PostgreSQL(self.folder, pg_port, durable, password, pg_settings, template)
        self.redis = Redis(self.folder, redis_port, durable, settings=redis_settings)
        self.env = dict(env or {})
        self.binaries = binaries
        self.apis, self.workers = [], []
        for i in range(replicas):
            self.add_api(port=api_port if i == 0 else None)
        for _ in range(worker):
            self.add_worker()

    @property
    def api(self):
        return self.apis[0]

    @property
    def worker(self):
        return self.workers[0]

    @property
    def servers(self):
        return [self.pg, self.redis, *self.apis, *self.workers]

    def addresses(self):
        """What tells a program where the two servers are."""
        return {"DATABASE_URL": self.pg.url, "REDIS_HOST": "127.0.0.1",
                "REDIS_PORT": str(self.redis.port)}

    def _program(self, program, siblings, env, **more):
        name = f"{program}-{len(siblings) + 1}"
        env = {**self.addresses(), "STORAGE_DIR": os.path.join(self.folder, "arquivos"), **self.env,
               **(env or {})}
        siblings.append(Program(program, self.folder, env, name=name, binaries=self.binaries, **more))
        return siblings[-1]

    def add_api(self, env=None, port=None):
        """One more replica, not started."""
        return self._program("alicerce-api", self.apis, env, port=port)

    def add_worker(self, env=None):
        return self._program("alicerce-worker", self.workers, env)

    def start(self):
        try:
            for server in self.servers:  # all at once, then wait for each
                server.launch()
            for server in self.servers:
                server.wait_ready()
            for api in self.apis:
                api.wait_serving()
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self):
        """Ends all, clients of the servers first. Trouble when a program did not exit with 0, had to
        be killed, or when its log has a sanitizer's report."""
        troubles = []
        programs = self.workers + self.apis
        for server in programs:
            server.ask_to_stop()
        for server in [*programs, self.redis, self.pg]:
            try:
                code = server.stop()
            except Trouble as trouble:
                troubles.append(str(trouble))
                continue
            if server in programs and code not in (0, None, -signal.SIGKILL):
                troubles.append(f"{server.name} exited with {code}\n{server.log_tail()}")
        for program in programs:
            report = program.sanitizer_report()
            if report:
                troubles.append(f"{program.name}: {report}")
        self._forget_folder()
        if troubles:
            raise Trouble("\n".join(troubles))

    def kill(self):
        for server in self.servers:
            if server.process is not None and server.running():
                server.kill()
        self._forget_folder()

    def _forget_folder(self):
        """The data of a temporary stack is of no more use; its logs stay until python ends."""
        if not self.kept:
            shutil.rmtree(self.pg.data, ignore_errors=True)
            shutil.rmtree(self.redis.data, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
