"""The commands of ./dev, each with its own help."""
import argparse
import os
import subprocess
import sys
import time

import tests
import tidy
from devlib import BINARY, BUILD, Failed, Tally, install_packages, path, run, say, venv


def build(args):
    install_packages()
    if args.slowest:
        return slowest(args.preset)
    say(f"Building {args.preset}")
    tests.configure(args.preset)
    begin = time.time()
    run("ninja", "-C", os.path.join(BUILD, args.preset), *args.targets)
    say(f"built in {time.time() - begin:.0f} s")
    return 0


def slowest(preset):
    """The ten files that took longest to compile, from ninja's own log."""
    log = os.path.join(BUILD, preset, ".ninja_log")
    if not os.path.exists(log):
        raise Failed(f"nothing was built yet: ./dev build --preset {preset}")
    times = {}
    with open(log) as lines:
        for line in lines:
            parts = line.rstrip("\n").split("\t")
            if len(parts) == 5 and parts[3].endswith(".o"):
                times[parts[3]] = int(parts[1]) - int(parts[0])
    print("seconds of wall time, last compilation (a ccache hit is short)")
    for name, milliseconds in sorted(times.items(), key=lambda item: -item[1])[:10]:
        print(f"{milliseconds / 1000:8.1f}  {name}")
    return 0


def binary():
    """Builds the server and returns its path."""
    install_packages()
    tests.configure("release")
    run("ninja", "-C", os.path.join(BUILD, "release"), "elanus")
    return BINARY


def serve(args):
    program, more = binary(), args.arguments
    if more[:1] == ["--"]:
        more = more[1:]
    if not any(word == "--data" or word.startswith("--data=") for word in more):
        more = ["--data", path("elanus-data"), *more]
    sys.stdout.flush()
    os.execv(program, [program, "serve", *more])


def fmt(args):
    install_packages()
    tally = Tally()
    tests.fmt(tally, check=args.check)
    return tally.close()


def tidy_command(args):
    if not args.layering:
        install_packages()
        tests.configure("release")
        # clang-tidy reads the generated message headers.
        run("ninja", "-C", os.path.join(BUILD, "release"), "elanus_proto")
    tally = Tally()
    tidy.tidy(tally, everything=args.all, layering_only=args.layering)
    return tally.close()


def test(args):
    return tests.test(args.module, everything=args.all, on_arm=args.arm)


def unit(name, **more):
    """Builds and runs one test program."""
    install_packages()
    tests.configure("release")
    run("ninja", "-C", os.path.join(BUILD, "release"), "--quiet", f"{name}_test")
    tally = Tally()
    tests.unit(tally, "release", name, **more)
    return tally.close()


def cases(args):
    return unit("cases", gtest_filter="*Case*")


def sim(args):
    return unit("sim", env={"ELANUS_SIM_SEED": str(args.seed)})


def e2e(args):
    binary()
    tally = Tally()
    tests.e2e(tally, args.client, args.arguments)
    return tally.close()


def bench(args):
    ann = path("bench", "ann", "run.py")
    runners = {"engine": [ann, "--engine"], "server": [path("bench", "server", "run.py")], "ann": [ann],
               "filter": [path("bench", "filter", "run.py")], "search": [path("bench", "search", "run.py")],
               "storage": [path("bench", "server", "storage.py")]}
    for name in (["engine", "server"] if args.what == "all" else [args.what]):
        binary()
        say(f"bench {name}")
        run(sys.executable, *runners[name], *args.arguments)
    return 0


def demo(args):
    program = binary()
    more = ["--small"] if args.small else ["--texts", str(args.texts)]
    return run(venv("demo"), path("demo", "run.py"), "--server", program, *more, check=False).returncode


def for_minutes(args, *script):
    """Runs a script of tests/ against the server for as long as the command says."""
    program = binary()
    return run(venv("pymilvus30"), path("tests", *script), "--server", program, "--seconds", str(args.minutes * 60),
               *(["--seed", str(args.seed)] if args.seed is not None else []), check=False).returncode


def torture(args):
    return for_minutes(args, "torture", "torture.py")


def consistency(args):
    return for_minutes(args, "consistency", "check.py")


def faults(args):
    return unit("faults", env={"ELANUS_FAULT_STRIDE": str(args.stride)})


def fuzz(args):
    """libFuzzer on one parser. New inputs lie under build/fuzz-corpus; --keep adds those that reach new code to the
    corpus that every test run replays."""
    install_packages("apt_fuzz")
    tests.configure("fuzz")
    program = os.path.join(BUILD, "fuzz", f"fuzz_{args.target}")
    run("ninja", "-C", os.path.join(BUILD, "fuzz"), "--quiet", f"fuzz_{args.target}")
    kept, found = path("tests", "fuzz", "corpus", args.target), os.path.join(BUILD, "fuzz-corpus", args.target)
    os.makedirs(found, exist_ok=True)
    words = path("tests", "fuzz", f"{args.target}.dict")
    options = [f"-dict={words}"] if os.path.exists(words) else []
    done = run(program, *options, f"-max_total_time={args.seconds}", "-timeout=10", "-rss_limit_mb=2048",
               f"-artifact_prefix={found}/", found, kept, check=False)
    if done.returncode == 0 and args.keep:
        run(program, "-merge=1", kept, found)
    return done.returncode


def docs(args):
    """Writes docs/generated from the program itself, so that the pages cannot disagree with it."""
    program = binary()
    os.makedirs(path("docs", "generated"), exist_ok=True)
    options = subprocess.run([program, "options"], capture_output=True, text=True, check=True).stdout
    with open(path("docs", "generated", "config.md"), "w") as out:
        out.write(options)
    run(venv("pymilvus30"), path("scripts", "list_methods.py"), "--server", program,
        "--out", path("docs", "generated", "methods.md"))
    print("docs/generated/config.md\ndocs/generated/methods.md")
    return 0


def parser():
    top = argparse.ArgumentParser(prog="./dev", description="One command for people and CI.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name, function, help_text):
        command = commands.add_parser(name, help=help_text, description=help_text[0].upper() + help_text[1:] + ".")
        command.set_defaults(function=function)
        return command

    c = add("run", serve, "build, then serve on 19530 and 9091 with data under ./elanus-data")
    c.add_argument("arguments", nargs=argparse.REMAINDER, help="passed to `elanus serve`")
    c = add("build", build, "install missing Debian packages and build build/release/elanus and the tests")
    c.add_argument("targets", nargs="*", help="targets; all when none is named")
    c.add_argument("--preset", default="release", choices=["release", "dev", "asan", "tsan"])
    c.add_argument("--slowest", action="store_true", help="name the ten files that took longest to compile")
    c = add("test", test, "build and run every test, in order of cost")
    c.add_argument("module", nargs="?", help="one module's unit tests only, such as index")
    c.add_argument("--all", action="store_true",
                   help="also the sanitizer builds, more seeds, clang-tidy on all and the kernels on ARM")
    c.add_argument("--arm", action="store_true", help="only the kernels, compiled for aarch64 and run by qemu")
    c = add("cases", cases, "run the data-driven cases")
    c = add("sim", sim, "run the simulations under a seed")
    c.add_argument("--seed", type=int, default=1)
    c = add("e2e", e2e, "run the end-to-end tests with an unmodified SDK")
    c.add_argument("client", nargs="?", default="python", choices=["python", "pymilvus26", "pymilvus30"])
    c.add_argument("arguments", nargs=argparse.REMAINDER, help="passed to pytest")
    c = add("bench", bench, "measure against the peers and print one table of ratios")
    c.add_argument("what", nargs="?", default="all", choices=["engine", "server", "ann", "filter", "search", "storage", "all"])
    c.add_argument("arguments", nargs=argparse.REMAINDER, help="passed to the benchmark")
    c = add("demo", demo, "find Debian packages by meaning: embed, load, search, judge")
    c.add_argument("--texts", type=int, default=20000)
    c.add_argument("--small", action="store_true", help="500 texts, as in the tests")
    c = add("torture", torture, "kill -9 a server in a loop under load, and compare every row with a model")
    c.add_argument("--minutes", type=float, default=10)
    c.add_argument("--seed", type=int, help="of the moments; the clock's when not given")
    c = add("consistency", consistency, "judge reads at every consistency level by the history of concurrent writes")
    c.add_argument("--minutes", type=float, default=5)
    c.add_argument("--seed", type=int, help="of what is written and read; the clock's when not given")
    c = add("faults", faults, "let each disk operation of a scripted workload fail in every way")
    c.add_argument("--stride", type=int, default=1, help="try one operation in so many")
    c = add("fuzz", fuzz, "fuzz one parser with libFuzzer")
    c.add_argument("target", choices=["analyzers", "filter", "http2", "messages", "trees"])
    c.add_argument("--seconds", type=int, default=60)
    c.add_argument("--keep", action="store_true", help="add what reaches new code to tests/fuzz/corpus")
    c = add("fmt", fmt, "format src with clang-format-16")
    c.add_argument("--check", action="store_true", help="say what is not formatted and change nothing")
    c = add("tidy", tidy_command, "check the layering of src and run clang-tidy on what changed")
    c.add_argument("--all", action="store_true", help="clang-tidy on every file")
    c.add_argument("--layering", action="store_true", help="the layering check only; needs no build")
    c = add("docs", docs, "write docs/generated from the program")
    return top


def main(arguments):
    top = parser()
    args, options = top.parse_known_args(arguments)
    if options:
        # argparse gives the rest of the line to a command only from its first word that is no option.
        if not hasattr(args, "arguments"):
            top.error("unrecognized arguments: " + " ".join(options))
        args.arguments = options + args.arguments
    try:
        return args.function(args)
    except Failed as failure:
        print(f"failed: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
