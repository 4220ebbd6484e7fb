"""What can happen to the servers and programs, and to what lies between them. Each fault sets in, lasts a
while, and is healed; a function does all three and calls world.sets_in() when it has begun and
world.healed() when it is over."""
import random
import signal
import time

FAULTS = {}


def fault(function):
    FAULTS[function.__name__.replace("_", "-")] = function
    return function


def killed(world, servers, seconds):
    """kill -9, all of them, and started again."""
    for server in servers:
        server.kill()
    world.sets_in()
    time.sleep(seconds)
    for server in servers:
        server.launch()
    for server in servers:
        server.wait_ready()
    world.healed()


def frozen(world, servers, seconds):
    """SIGSTOP: connections stay open, nothing answers."""
    for server in servers:
        server.freeze()
    world.sets_in()
    time.sleep(seconds)
    for server in servers:
        server.thaw()
    world.healed()


def long_or_short(rng):
    """Of a worker: sometimes longer than others leave its entries to it (5 s)."""
    return 6.5 if rng.random() < 0.15 else rng.uniform(0.2, 1.5)


# ---- the programs --------------------------------------------------------------------

@fault
def api_kill(world, rng):
    killed(world, [rng.choice(world.stack.apis)], rng.uniform(0, 0.8))


@fault
def apis_kill(world, rng):
    killed(world, world.stack.apis, rng.uniform(0, 0.5))


@fault
def api_freeze(world, rng):
    frozen(world, [rng.choice(world.stack.apis)], rng.uniform(0.2, 1.5))


@fault
def worker_kill(world, rng):
    killed(world, [rng.choice(world.stack.workers)], rng.uniform(0, 0.8))


@fault
def workers_kill(world, rng):
    killed(world, world.stack.workers, rng.uniform(0, 0.8))


@fault
def worker_freeze(world, rng):
    frozen(world, [rng.choice(world.stack.workers)], long_or_short(rng))


@fault
def workers_stop(world, rng):
    """SIGTERM, as when a new version is rolled out."""
    for worker in world.stack.workers:
        worker.signal(signal.SIGTERM)
    world.sets_in()
    for worker in world.stack.workers:
        worker.wait(12)
        worker.start()
    world.healed()


# ---- the servers ---------------------------------------------------------------------

@fault
def redis_kill(world, rng):
    killed(world, [world.stack.redis], rng.uniform(0, 1.2))


@fault
def redis_freeze(world, rng):
    frozen(world, [world.stack.redis], rng.uniform(0.1, 2.0))


@fault
def redis_full(world, rng):
    """maxmemory is reached: it refuses adds, nothing else."""
    world.stack.redis.call("CONFIG", "SET", "maxmemory", "1")
    world.sets_in()
    time.sleep(rng.uniform(0.3, 1.5))
    world.stack.redis.call("CONFIG", "SET", "maxmemory", "0")
    world.healed()


@fault
def pg_kill(world, rng):
    killed(world, [world.stack.pg], rng.uniform(0, 1.2))


@fault
def pg_freeze(world, rng):
    frozen(world, [world.stack.pg], rng.uniform(0.1, 2.0))


@fault
def pg_full(world, rng):
    """Its tables cannot grow: SQLSTATE 53100."""
    world.disk.fill()
    world.sets_in()
    time.sleep(rng.uniform(0.5, 1.5))
    world.disk.free()
    world.healed()


@fault
def pg_read_only(world, rng):
    """As a server does that has become a standby, or a hosted one whose disk is nearly full: 25006."""
    def set_to(word):
        world.stack.pg.query(f"ALTER SYSTEM SET default_transaction_read_only = {word}", user="postgres")
        world.stack.pg.query("SELECT pg_reload_conf()", user="postgres")
    set_to("on")
    world.sets_in()
    time.sleep(rng.uniform(0.3, 1.2))
    set_to("off")
    world.healed()


# ---- several -------------------------------------------------------------------------

@fault
def redis_freeze_kill(world, rng):
    """What is acknowledged while it stands still must be elsewhere when it dies."""
    world.stack.redis.freeze()
    world.sets_in()
    time.sleep(rng.uniform(0.1, 0.6))
    killed(world, [world.stack.redis], rng.uniform(0, 0.5))


@fault
def pg_freeze_workers_kill(world, rng):
    """Workers die with entries in their hands that are not written."""
    world.stack.pg.freeze()
    world.sets_in()
    time.sleep(rng.uniform(0.1, 0.6))
    killed(world, world.stack.workers, 0)
    world.stack.pg.thaw()
    world.healed()


@fault
def workers_redis_kill(world, rng):
    """Nobody drains for a while, then the queue's server dies with all that waits in it."""
    for worker in world.stack.workers:
        worker.kill()
    world.sets_in()
    time.sleep(rng.uniform(0.3, 1.0))
    killed(world, [world.stack.redis], 0)
    for worker in world.stack.workers:
        worker.start()
    world.healed()


@fault
def pg_freeze_redis_kill(world, rng):
    """The workers hold what they cannot write while the queue's server dies."""
    world.stack.pg.freeze()
    world.sets_in()
    time.sleep(rng.uniform(0.3, 1.0))
    killed(world, [world.stack.redis], 0)
    world.stack.pg.thaw()
    world.healed()


@fault
def both_freeze_kill(world, rng):
    servers = [world.stack.redis, world.stack.pg]
    for server in servers:
        server.freeze()
    world.sets_in()
    time.sleep(rng.uniform(0.1, 1.0))
    killed(world, servers, 0)


@fault
def both_full(world, rng):
    """Neither takes anything more: 503, until one does."""
    world.disk.fill()
    world.stack.redis.call("CONFIG", "SET", "maxmemory", "1")
    world.sets_in()
    time.sleep(rng.uniform(0.3, 1.0))
    world.stack.redis.call("CONFIG", "SET", "maxmemory", "0")
    world.disk.free()
    world.healed()


@fault
def everything_kill(world, rng):
    """The power fails, or all that a process sees of it."""
    everything = [*world.stack.workers, *world.stack.apis, world.stack.redis, world.stack.pg]
    rng.shuffle(everything)
    killed(world, everything, rng.uniform(0, 0.3))


# ---- the network ---------------------------------------------------------------------

def some_links(world, rng, which):
    """The proxies of all programs before this server, or of one program alone."""
    links = [getattr(link, which) for link in world.links.values()]
    return links if rng.random() < 0.5 else [rng.choice(links)]


def cut(world, rng, which):
    """Connections are reset, in mid-answer or at once, and for a while no new ones are let through."""
    links = some_links(world, rng, which)
    for link in links:
        link.refusing = True
        if rng.random() < 0.5:
            link.cut_after(rng.randrange(1, 200))
            time.sleep(0.05)
        link.cut()
    world.sets_in()
    time.sleep(rng.choice((0, rng.uniform(0.1, 1.0))))
    for link in links:
        link.release()
        link.refusing = False
    world.healed()


def silent(world, rng, which):
    """Nothing passes, connections stay; what was held passes when it is over, or is lost."""
    links = some_links(world, rng, which)
    for link in links:
        link.hold_all()
    world.sets_in()
    time.sleep(rng.uniform(0.2, 2.0))
    lost = rng.random() < 0.5
    for link in links:
        if lost:
            link.cut()
        link.release()
    world.healed()


@fault
def redis_cut(world, rng):
    cut(world, rng, "redis")


@fault
def redis_silent(world, rng):
    silent(world, rng, "redis")


@fault
def pg_cut(world, rng):
    cut(world, rng, "pg")


@fault
def pg_silent(world, rng):
    silent(world, rng, "pg")


def order(seed, wanted):
    """An endless random order: each of the wanted ones once before any comes again."""
    rng = random.Random(seed)
    while True:
        names = list(wanted)
        rng.shuffle(names)
        yield from names
