"""model.py - from what one machine measured to fleets of any size: arithmetic, no simulation."""

from measuring import figures

BUSY = 0.7  # of a processor, at most: beyond it waiting grows faster than what is done
PEAK = 3  # times the mean: renewals are spread by timers with a random delay, and still have busy hours
DAY = 86400
FLEETS = (100_000, 1_000_000, 10_000_000)
WITHIN = ((900, "15 min"), (3600, "1 h"), (14400, "4 h"))  # after a power cut
PARTS = ("edge", "service", "postgres")


class Unmeasured(Exception):
    """The results lack what the model needs; its text says what."""


class Cost:
    """Of one errand: CPU time in microseconds by program, bytes logged and kept by the database."""

    def __init__(self, results, name):
        case = figures.case_named(results, name)
        if case is None:
            raise Unmeasured(f"{name} was not measured")
        self.cpu = {part: figures.middle(case, f"cpu_us.{part}") for part in PARTS}
        self.logged = figures.middle(case, "database_bytes.logged")
        self.kept = figures.middle(case, "database_bytes.kept")
        if None in (*self.cpu.values(), self.logged, self.kept):
            raise Unmeasured(f"{name}: CPU time or the database's bytes were not measured")

    def cores(self, per_second, *parts):
        """Processors that so many a second keep busy, with BUSY of each."""
        return per_second * sum(self.cpu[part] for part in parts or PARTS) / 1e6 / BUSY


def _rounded(value):
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def markdown(head, rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1)] + rows
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def one_machine(enroll, renew):
    rows = []
    for name, cost in (("enrollment", enroll), ("renewal", renew)):
        rows.append([name] + [f"{cost.cpu[part]:,.0f}" for part in PARTS] +
                    [f"{sum(cost.cpu.values()):,.0f}", _rounded(cost.logged / 1024), _rounded(cost.kept / 1024)])
    return markdown(["CPU us of one", "edge", "service", "PostgreSQL", "together", "KiB logged", "KiB kept"], rows)


def renewing(renew):
    rows = []
    for hosts in FLEETS:
        mean = hosts / DAY
        peak = mean * PEAK
        rows.append([f"{hosts:,}", _rounded(mean), _rounded(peak)] +
                    [_rounded(renew.cores(peak, part)) for part in PARTS] +
                    [_rounded(peak * renew.logged / 2**20), _rounded(hosts * renew.logged / 2**30),
                     _rounded(hosts * renew.kept / 2**30)])
    return markdown(["hosts", "per s", "at peak", "cores: edge", "service", "PostgreSQL", "log MiB/s", "log GiB/day",
                     "kept GiB/day"], rows)


def power_cut(enroll, rate):
    rows = []
    for hosts in FLEETS:
        row = [f"{hosts:,}", _rounded(hosts / rate / 60)]
        for seconds, _ in WITHIN:
            per_second = hosts / seconds
            row.append(f"{_rounded(per_second)}/s: " +
                       " + ".join(_rounded(enroll.cores(per_second, part)) for part in PARTS))
        rows.append(row)
    return markdown(["hosts", "this machine, min"] + [f"cores for {words}" for _, words in WITHIN], rows)


def limits(results, enroll):
    """Where one part of it ends."""
    commit = results["machine"]["commit_us"]
    rows = [
        ["one core of an edge", f"{1e6 * BUSY / enroll.cpu['edge']:,.0f}/s"],
        ["one core of a service", f"{1e6 * BUSY / enroll.cpu['service']:,.0f}/s"],
        ["one core of PostgreSQL", f"{1e6 * BUSY / enroll.cpu['postgres']:,.0f}/s"],
        ["PostgreSQL with 16 cores", f"{16e6 * BUSY / enroll.cpu['postgres']:,.0f}/s"],
        ["PostgreSQL with 64 cores", f"{64e6 * BUSY / enroll.cpu['postgres']:,.0f}/s"],
        [f"commits of one connection, at {commit:,} us for a sync", f"{1e6 / commit:,.0f}/s"],
        ["commits of 8 connections that share each sync", f"{8e6 / commit:,.0f}/s"],
        ["log at 200 MiB/s", f"{200 * 2**20 / enroll.logged:,.0f}/s"],
    ]
    return markdown(["part", "enrollments"], rows)


def text(results):
    """The tables of README.md's chapter, in its order."""
    enroll, renew = Cost(results, "closed-64"), Cost(results, "renew")
    best = figures.fastest(results)
    return "\n\n".join([
        one_machine(enroll, renew),
        limits(results, enroll),
        renewing(renew),
        power_cut(enroll, figures.middle(best, "per_second")),
    ]) + "\n"
