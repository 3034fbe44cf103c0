"""figures.py - what a run of the standard set measured: medians of repeats, their noise, goals, a table."""

import statistics

FORMAT = 1

# What compare looks at: path in an object of endorse-bench, its name for people, whether more is better, and by which
# share of itself a figure has to differ at least, for the noise of a few repeats says too little of the tails.
FIGURES = (
    ("per_second", "per second", True, 0.03),
    ("latency_us.p50", "p50 us", False, 0.05),
    ("latency_us.p99", "p99 us", False, 0.15),
    ("cpu_us.edge", "CPU us of the edge", False, 0.03),
    ("cpu_us.service", "CPU us of the service", False, 0.03),
    ("cpu_us.postgres", "CPU us of PostgreSQL", False, 0.03),
    ("trips", "database trips", False, 0.2),
    ("peak_kib.service", "peak KiB of the service", False, 0.05),
)


def take(figures, path):
    """The value behind "latency_us.p50"; None where it was not measured."""
    for name in path.split("."):
        figures = figures.get(name) if isinstance(figures, dict) else None
    return figures if isinstance(figures, (int, float)) else None


def values(case, path):
    """One for each repeat that has it."""
    return [value for value in (take(run, path) for run in case["runs"]) if value is not None]


def middle(case, path):
    found = values(case, path)
    return statistics.median(found) if found else None


def server_us(case):
    """CPU time of edge, service and PostgreSQL for one."""
    parts = [middle(case, f"cpu_us.{whose}") for whose in ("edge", "service", "postgres")]
    return None if None in parts else sum(parts)


def errors(case):
    """How many of all repeats were not served in the end."""
    return sum(count for run in case["runs"] for count in run.get("errors", {}).values())


def retried(case):
    """How often devices of all repeats were told to come again."""
    return sum(count for run in case["runs"] for count in run.get("retried", {}).values())


def case_named(results, name):
    return next((case for case in results["cases"] if case["name"] == name), None)


def floor_us(results):
    sums = [floor["sum_us"] for floor in results["floor"] if take(floor, "sum_us")]
    return statistics.median(sums) if sums else None


def fastest(results):
    """The case of the closed loop that completed the most, by its median."""
    closed = [case for case in results["cases"] if case["kind"] == "closed" and middle(case, "per_second")]
    return max(closed, key=lambda case: middle(case, "per_second"), default=None)


def allowed_rate(results, case):
    """What the processors allow, if nothing but them stood in the way."""
    server, generator = server_us(case), middle(case, "cpu_us.generator")
    if server is None or generator is None:
        return None
    return results["machine"]["cores"] * 1e6 / (server + generator)


def _goal(name, got, goal, good, unit=""):
    return {"name": name, "got": got, "goal": goal, "unit": unit, "reached": good}


def goals(results):
    """Each with what was got, what was to be reached, and whether it was."""
    found = []
    best, reference = fastest(results), case_named(results, "closed-64")
    floor = floor_us(results)
    if reference and floor and server_us(reference):
        ratio = server_us(reference) / floor
        found.append(_goal("CPU of edge, service, PostgreSQL to the floor", ratio, 1.5, ratio <= 1.5, "x"))
    if best and allowed_rate(results, best):
        share = middle(best, "per_second") / allowed_rate(results, best)
        found.append(_goal("throughput to what the processors allow", share, 0.8, share >= 0.8, "x"))
    opened = case_named(results, "open-70")
    if opened and middle(opened, "latency_us.p50"):
        times = middle(opened, "latency_us.p99") / middle(opened, "latency_us.p50")
        found.append(_goal("p99 to p50 at 70 % of the rate", times, 5, times <= 5, "x"))
    herd = case_named(results, "herd")
    if herd and best:
        # Who comes last comes when the herd's time is over, however fast the service is.
        wanted = max(take(herd["runs"][0], "devices") / middle(best, "per_second"),
                     take(herd["runs"][0], "herd_seconds") or 0)
        times = middle(herd, "seconds") / wanted
        found.append(_goal("herd: last one to the rate's time", times, 1.3, times <= 1.3, "x"))
        found.append(_goal("herd: not served in the end", errors(herd), 0, errors(herd) == 0))
    crowd = case_named(results, "closed-256")
    if crowd and values(crowd, "peak_kib.service"):
        mib = max(values(crowd, "peak_kib.service")) / 1024
        found.append(_goal("peak memory of the service, 256 connections", mib, 64, mib < 64, "MiB"))
    return found


def _cell(value, scale=1.0, digits=0):
    return "-" if value is None else f"{value * scale:.{digits}f}"


def _row(case):
    spread = values(case, "per_second")
    noise = 100 * (max(spread) - min(spread)) / statistics.median(spread) if spread else None
    return [
        case["name"],
        _cell(middle(case, "per_second"), digits=1),
        _cell(noise, digits=1),
        _cell(middle(case, "latency_us.p50"), 1e-3, 1),
        _cell(middle(case, "latency_us.p95"), 1e-3, 1),
        _cell(middle(case, "latency_us.p99"), 1e-3, 1),
        _cell(max(values(case, "latency_us.max"), default=None), 1e-3, 1),
        _cell(middle(case, "cpu_us.edge")),
        _cell(middle(case, "cpu_us.service")),
        _cell(middle(case, "cpu_us.postgres")),
        _cell(server_us(case)),
        _cell(middle(case, "cpu_us.generator")),
        _cell(middle(case, "trips"), digits=1),
        _cell(middle(case, "rss_kib.service"), 1 / 1024, 1),
        str(retried(case)),
        str(errors(case)),
    ]


HEAD = ["case", "per s", "+-%", "p50 ms", "p95", "p99", "max", "edge us", "service", "postgres", "all three", "generator",
        "trips", "MiB", "retried", "errors"]


def columns(rows):
    """Rows of words, the first column to the left and all others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(word.ljust(width) if i == 0 else word.rjust(width)
                  for i, (word, width) in enumerate(zip(row, widths))).rstrip() for row in rows)


def _machine(results):
    machine = results["machine"]
    return "\n".join([
        f"Endorse {results['endorse']['version']} ({results['endorse']['commit'] or 'no commit'}), "
        f"{results['began']}, {results['seconds']:.0f} s, {results['repeats']} repeats",
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_mib']} MiB, Linux {machine['kernel']}; "
        f"{machine['filesystem']}, a synced 8 KiB takes {machine['commit_us']} us; load before: "
        f"{machine['load_before']:.2f}",
        f"{machine['haproxy']}; {machine['postgresql']}; {machine['openssl']}",
    ])


def _floor(results):
    if not results["floor"]:
        return "floor: not measured"
    rows = [["floor", "CPU us"]]
    parts = {name: statistics.median(floor[name]["us"] for floor in results["floor"])
             for name, part in results["floor"][0].items() if isinstance(part, dict)}
    beside = {"(database, in bare tables)": parts.pop("bare_database", None),
              "(without database, in turns)": parts.pop("in_turns", None),
              "(without database, caches cold)": parts.pop("cold", None)}
    beside["(without database)"] = sum(us for name, us in parts.items() if name != "database")
    rows += [[name, _cell(us, digits=1)] for name, us in parts.items()]
    rows.append(["together", _cell(floor_us(results), digits=1)])
    rows += [[name, _cell(us, digits=1)] for name, us in sorted(beside.items()) if us is not None]
    return columns(rows)


def table(results):
    """All of it as text."""
    rows = [HEAD] + [_row(case) for case in results["cases"]]
    reached = [["goal", "got", "wanted", ""]]
    for goal in goals(results):
        reached.append([goal["name"], f"{goal['got']:.2f} {goal['unit']}".strip(),
                        f"{goal['goal']:g} {goal['unit']}".strip(), "reached" if goal["reached"] else "NOT REACHED"])
    return "\n\n".join([
        _machine(results),
        "medians of the repeats; +-% is how much the rate differed between them; max is of all; CPU is for one of what "
        "was done\n\n" + columns(rows),
        _floor(results), columns(reached)]) + "\n"
