"""Several backends: how the front finds them, shares the work, and what replacing them costs."""
import threading
import time

from looks import (FIGURES, expect, get_json, kill_9, post, replicas_of, same, steady,
                   wait_healthy, wait_ok)


def scale(project, n, seconds=90):
    project.compose("up", "-d", "--no-recreate", "--scale", f"backend={n}")
    wait_healthy(project, "backend", n, seconds)


def case_scale_to_three(project):
    """--scale backend=3: requests spread within 2 : 1, counters and cache exact"""
    project.compose("up", "-d", "--scale", "backend=3")
    wait_healthy(project, "backend", 3)
    wait_ok(project)
    time.sleep(2)
    found = replicas_of(project, "/api/stats", 300)
    FIGURES.append(f"300 requests over three replicas: {sorted(found.values())}")
    same(len(found), 3, f"replicas that answered {found}")
    expect(max(found.values()) <= 2 * min(found.values()), found)
    look_at_counters(project)
    look_at_cache(project)


def look_at_counters(project):
    """400 callers from 8 threads: every one its own number, none skipped."""
    seen, lock = [], threading.Lock()

    def work():
        for _ in range(50):
            number = get_json(project, "/api/contador")["contador"]
            with lock:
                seen.append(number)
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    same(sorted(seen), list(range(min(seen), min(seen) + 400)), "the numbers")


def look_at_cache(project):
    """A post whose 201 was sent is in the cached page, whichever replica is asked."""
    for i in range(40):
        row = post(project, "/api/posts", {"titulo": f"cache {i}", "conteudo": "x"}, 201)[1]
        for _ in range(3):
            same(get_json(project, "/api/posts/cache")["posts"][0]["id"], row["id"], "the first")


def case_scale_up_and_down(project):
    """3 to 5 to 2 under load: all five answer, none fails"""
    def work():
        scale(project, 5)
        time.sleep(2)
        found = replicas_of(project, "/health", 200)
        same(len(found), 5, f"replicas that answered {found}")
        scale(project, 2)
    steady(project, 100, "3 to 5 to 2 replicas", work, with_posts=False)


def case_kill_9_of_a_backend(project):
    """kill -9 of a backend under load: no GET fails, and it comes back"""
    def work():
        kill_9(project, project.ids("backend")[0])
        time.sleep(3)
    steady(project, 100, "kill -9 of one of two", work, with_posts=False)
    wait_healthy(project, "backend", 2)


def case_rolling_replacement(project):
    """make deploy five times under 200 requests a second: none fails, POSTs among them"""
    scale(project, 3)
    before = set(project.ids("backend"))

    def work():
        for _ in range(5):
            project.shell("make", "-s", "deploy", env={"BUILD": "no"}, seconds=240)
    steady(project, 200, "rolling replacement of three, five times", work)
    same(len(project.ids("backend")), 3, "backends after it")
    expect(before.isdisjoint(project.ids("backend")), "an old one is still there")


def case_failed_deploy(project):
    """a new version that does not get ready is taken away again, unnoticed"""
    before = set(project.ids("backend"))
    project.set_env(REQUEST_TIMEOUT_MS="errado")

    def work():
        done = project.shell("sh", "docker/deploy.sh", env={"BUILD": "no", "READY_SECONDS": "8"},
                             check=False)
        expect(done.returncode != 0, done.stdout)
        expect("REQUEST_TIMEOUT_MS" in done.stdout, done.stdout)
    try:
        steady(project, 50, "a deploy that fails", work)
    finally:
        project.set_env(REQUEST_TIMEOUT_MS=5000)
    same(set(project.ids("backend")), before, "backends after it")


def case_nginx_reload(project):
    """nginx reload five times under 200 requests a second: none fails"""
    def work():
        for _ in range(5):
            project.engine.docker("exec", project.ids("frontend")[0], "nginx", "-s", "reload")
            time.sleep(1)
    steady(project, 200, "nginx reload, five times", work)


def case_deploy_by_the_old_compose(project):
    """make deploy by docker-compose 1.29 under 100 requests a second: none fails"""
    before = set(project.ids("backend"))
    steady(project, 100, "rolling replacement of one, by docker-compose 1.29",
           lambda: project.shell("make", "-s", "deploy", env={"BUILD": "no"}, seconds=240))
    after = set(project.ids("backend"))
    expect(len(after) == 1 and before.isdisjoint(after), f"{before} became {after}")
