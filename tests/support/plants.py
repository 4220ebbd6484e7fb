"""Programs with a planted bug, built when a test asks for them: the proof that a test can fail.

A plant is a few lines behind an #ifdef in the sources. ALICERCE_PLANT may name a folder with
NAME/alicerce-* ready-made."""
import os
import subprocess

import servers

PLANTS = {  # name: macro, what holds it
    "join-sent": ("PLANT_JOIN_SENT", "alicerce-api"),
    "stale-fill": ("PLANT_STALE_FILL", "alicerce-api"),
    "fill-under-mark": ("PLANT_FILL_UNDER_MARK", "alicerce-api"),
    "lease-unasked": ("PLANT_LEASE_UNASKED", "alicerce-api"),
    "mark-for-ever": ("PLANT_MARK_FOR_EVER", "alicerce-api"),
    "poison": ("PLANT_POISON", "alicerce-worker"),
}


def plant(name):
    """The folder of the program that was built with the bug."""
    top = os.environ.get("ALICERCE_PLANT", os.path.join(servers.PROJECT, "build", "plant"))
    folder = os.path.join(top, name)
    if "ALICERCE_PLANT" in os.environ:
        return folder
    macro, program = PLANTS[name]
    build = os.path.relpath(folder, servers.PROJECT)
    done = subprocess.run(
        ["make", "-s", f"BUILD={build}", f"CFLAGS=-D{macro}", "OPT=-O1", "SANITIZE=",
         f"{build}/{program}"],
        cwd=servers.PROJECT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False,
        env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")})
    if done.returncode != 0:
        raise servers.Trouble(f"the planted bug {name} does not build\n{done.stdout[-3000:]}")
    return folder
