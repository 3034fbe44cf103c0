"""place.py - where is measured: the build, the fleet, and worlds of tests/bench/with-world."""

import contextlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../../.."))


class Broken(Exception):
    """Something that the measuring itself needs does not work; its text says what."""


def told(text):
    print(text, file=sys.stderr, flush=True)


def output_of(*command):
    """What a program prints, without its last newline; "" when it cannot."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def must(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        raise Broken(f"{' '.join(command)} ends with {done.returncode}:\n{(done.stdout + done.stderr)[-4000:]}")
    return done.stdout


class Build:
    """Programs as they are delivered: optimised, without sanitizers."""

    def __init__(self, directory):
        self.directory = directory
        self.bench = os.path.join(directory, "bin", "endorse-bench")

    def make(self):
        told(f"building {self.directory}")
        if not os.path.exists(os.path.join(self.directory, "build.ninja")):
            must("cmake", "-S", ROOT, "-B", self.directory, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo")
        must("cmake", "--build", self.directory, "--target", "endorsed", "endorsectl", "endorse-bench",
             "bench-with-world")


@contextlib.contextmanager
def world(build, *options):
    """A world of tests/bench/with-world; what it tells its command, without ENDORSE_BENCH_."""
    with tempfile.TemporaryDirectory(prefix="endorse-bench.") as directory:
        told_in, end = os.path.join(directory, "environment"), os.path.join(directory, "end")
        os.mkfifo(end)
        script = 'env -0 >"$1.new" && mv "$1.new" "$1" && read -r _ <"$2" || :'
        process = subprocess.Popen(
            [os.path.join(ROOT, "tests/bench/with-world"), *options, "--", "sh", "-c", script, "sh", told_in, end],
            env={**os.environ, "ENDORSE_BUILD": build.directory}, stdout=subprocess.DEVNULL)
        try:
            while not os.path.exists(told_in):
                if process.poll() is not None:
                    raise Broken(f"with-world ends with {process.returncode}, see above")
                time.sleep(0.05)
            with open(told_in, encoding="utf-8") as file:
                pairs = [line.split("=", 1) for line in file.read().split("\0") if line]
            yield {name[14:]: value for name, value in pairs if name.startswith("ENDORSE_BENCH_")}
        except BaseException:
            process.terminate()
            process.wait()
            raise
        # The command waits for this one line; then all is stopped, and what does not end well is told.
        with open(end, "w", encoding="utf-8") as file:
            file.write("\n")
        if process.wait() != 0:
            raise Broken(f"the world ends with {process.returncode}, see above")


class Fleet:
    """A file of devices, made where there is none for these very options."""

    def __init__(self, build, directory, devices, mix):
        name = f"{devices}-{mix.replace(':', '').replace(',', '-')}"
        self.file = os.path.join(directory, f"fleet-{name}")
        self.roots = os.path.join(directory, f"fleet-{name}.roots")
        self.devices = devices
        self.mix = mix
        self.build = build

    def make(self):
        if os.path.exists(self.file) and os.path.exists(self.roots):
            return
        told(f"making {self.devices} devices, once: {self.file}")
        os.makedirs(os.path.dirname(self.file), exist_ok=True)
        shutil.rmtree(self.roots, ignore_errors=True)
        must(self.build.bench, "fleet", "--devices", str(self.devices), "--mix", self.mix, "--out", self.file,
             "--roots", self.roots)

    def forget(self):
        """In a new world nobody has enrolled yet."""
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.file + ".enrolled")


def commit_us():
    """How long the disk takes for what a commit waits for: 8 KiB written and synced."""
    times = []
    with tempfile.NamedTemporaryFile(prefix="endorse-bench.", dir="/tmp") as file:
        for _ in range(200):
            begin = time.perf_counter()
            os.pwrite(file.fileno(), bytes(8192), 0)
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - begin) * 1e6)
    return round(statistics.median(times))


def machine():
    """What a sceptic has to know of it."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    with open("/proc/meminfo", encoding="utf-8") as file:
        memory = int(file.readline().split()[1])
    postgres = sorted(os.listdir("/usr/lib/postgresql"))[-1]
    return {
        "processor": models[0] if models else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mib": memory // 1024,
        "kernel": platform.release(),
        "filesystem": output_of("df", "--output=fstype", "/tmp").split("\n")[-1],
        "commit_us": commit_us(),
        "load_before": os.getloadavg()[0],
        "haproxy": output_of("haproxy", "-v").split("\n")[0],
        "postgresql": output_of(f"/usr/lib/postgresql/{postgres}/bin/postgres", "--version"),
        "openssl": output_of("openssl", "version"),
    }


def program(build):
    """Which Endorse: its version, and the commit where the tree is one of git's."""
    version = output_of(build.bench, "--version").removeprefix("endorse-bench ")
    commit = output_of("git", "describe", "--always", "--dirty", "--abbrev=12")
    return {"version": version, "commit": commit or None}


def bench(build, command, *options, good=(0,)):
    """Runs endorse-bench; the object that it writes."""
    done = subprocess.run([build.bench, command, *options], capture_output=True, text=True, check=False)
    if done.returncode not in good or not done.stdout.startswith("{"):
        raise Broken(f"endorse-bench {command} {' '.join(options)} ends with {done.returncode}:\n"
                     f"{(done.stdout + done.stderr)[-4000:]}")
    return json.loads(done.stdout)


def database(conninfo):
    """Bytes that the server has logged since ever, and bytes that the database has."""
    line = must("psql", conninfo, "-XAtc", "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0'),"
                " pg_database_size(current_database())")
    logged, size = line.strip().split("|")
    return int(logged), int(size)


def trips(here):
    """That the services of this world have made to the database since they began."""
    total = 0
    for url in here["ADMIN_URLS"].split():
        request = urllib.request.Request(url + "/metrics", headers={"Authorization": "Bearer " + here["ADMIN_TOKEN"]})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                lines = answer.read().decode().split("\n")
            total += next(int(line.split()[1]) for line in lines if line.startswith("endorse_database_trips_total "))
        except (OSError, StopIteration) as problem:
            raise Broken(f"{url}/metrics does not tell the trips to the database: {problem}") from problem
    return total


def age(conninfo):
    """Every certificate is in the second half of its life, in which a renewal brings another one."""
    # Not vacuumed: renewals would fill the holes, and seem to keep nothing.
    must("psql", conninfo, "-Xqc", "UPDATE certificate SET not_before = not_before - interval '200 days'", "-c",
         "ANALYZE certificate")
