"""make demo: abgleich keeps a Contactbox book and a book on a real CardDAV server (Radicale, on loopback) the same, before your eyes.

Everything lives in a scratch folder that is removed at the end. Ctrl-C ends all that was started. Without a terminal it ends by
itself, with 0 if every step did what it should. Messages are in the language of the environment (LANGUAGE=de make demo)."""

import copy
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "e2e")]
import people  # noqa: E402
import servers  # noqa: E402

PROGRAM = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build/abgleich")
TERMINAL = sys.stdin.isatty() and sys.stdout.isatty()


SHOWN_LINES = 32  # of a long answer; the person at the terminal wants to see what kind of lines there are


class Failed(Exception):
    """A step did not do what it should; code is what the demo ends with."""

    def __init__(self, text, code=1):
        super().__init__(text)
        self.code = code


def say(text):
    print("\n" + ("\033[1m%s\033[0m" % text if TERMINAL else "== " + text), flush=True)


def show_answer(text, limit):
    lines = text.splitlines()
    cut = len(lines) > limit + 3
    print("".join(line + "\n" for line in (lines[:limit] if cut else lines)), end="")
    if cut:
        print("  [... %d more lines]" % (len(lines) - limit))
    sys.stdout.flush()


class Demo:
    def __init__(self, folder):
        self.folder = folder
        self.config = os.path.join(folder, "abgleich.ini")
        self.daemon = None

    def run(self, *args, expect=(0,), text=None, show=True, lines=SHOWN_LINES):
        """One command as a person would type it."""
        if show:
            print("$ abgleich " + shlex.join(args), flush=True)
        done = subprocess.run([PROGRAM, "-c", self.config, *args], input=text, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if show:
            show_answer(done.stdout, lines)
        if done.returncode not in expect:
            raise Failed("abgleich %s ended with %d, expected %s\n%s" % (shlex.join(args), done.returncode, " or ".join(map(str, expect)),
                         "" if show else done.stdout), done.returncode or 1)
        return done.stdout

    def query(self, *args):
        done = subprocess.run([PROGRAM, "-c", self.config, "--json", *args], text=True, stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout)


def other_note(person, here, i):
    person["note"] = ("Hier in der Contactbox notiert (%d)" if here else "Nur auf dem Server notiert (%d)") % i


def other_family_name(person, here, i):
    person["family"] = person["family"] + ("-Hansen" if here else "-Petersen")


def other_phone(person, here, i):
    person["mobile"] = ("+49 160 %07d" if here else "+49 170 %07d") % (4000000 + i)


DIFFERENCES = (other_note, other_family_name, other_phone)


def make_people():
    """Who is where: 200 on both sides (0-38: a few differ; 40-79: the same person under another UID), 50 only here, 50 only there."""
    everybody = people.people(2026, 300)
    here = copy.deepcopy(everybody[:250])
    there = copy.deepcopy(everybody[:200] + everybody[250:])
    for i in range(0, 39, 3):
        differ = DIFFERENCES[i // 3 % len(DIFFERENCES)]
        differ(here[i], True, i)
        differ(there[i], False, i)
    for i in range(40, 80):
        there[i]["uid"] = "server-%d" % i
    return here, there


def fill(demo, server, book, here, there):
    cards = os.path.join(demo.folder, "kunden.vcf")
    with open(cards, "w", newline="", encoding="utf-8") as f:
        f.write("".join(people.vcard(p) for p in here))
    demo.run("book", "add", "Kunden")
    demo.run("contact", "import", "Kunden", cards)
    for p in there:
        server.put(book + p["uid"] + ".vcf", people.vcard(p, "server"))
    print("(%d contacts put on the server)" % len(there))


def change_one_there(server, book):
    path, card = sorted(server.cards(book).items())[0]
    server.put(path, card.replace("END:VCARD", "NICKNAME:Geändert auf dem Server\r\nEND:VCARD"))


def change_one_here(demo):
    contact = demo.query("contact", "list", "Kunden")[-1]
    demo.run("contact", "edit", contact["id"], "nickname+=Hier geändert")


def show_syncs(demo, server):
    book = server.make_book("kunden")
    here, there = make_people()
    say("A Contactbox book and a book on a server, each with contacts of its own")
    fill(demo, server, book, here, there)
    say("The server becomes an account")
    demo.run("account", "add", "radicale", "--connector", "carddav", "--url", server.url, "--user", server.user, "--interval", "15m",
             "--password-file", "-", text=server.password + "\n")
    demo.run("discover", "radicale")
    demo.run("link", "add", "kunden", "contactbox:Kunden", "radicale:kunden", "--mode", "two-way", "--authority", "contactbox")
    say("What would happen? check changes nothing")
    demo.run("check", "kunden", expect=(10,))
    say("The first sync")
    demo.run("sync", "kunden", lines=8)
    say("Its report: a note and a family name can have one value, so one side wins and the other is kept here; phones unite")
    run = demo.query("runs", "kunden")[0]["run"]
    demo.run("report", str(run))
    say("One contact is changed on each side")
    change_one_there(server, book)
    change_one_here(demo)
    demo.run("sync", "kunden")
    say("Once more: nothing to do")
    demo.run("sync", "kunden")
    demo.run("status")
    check_equal(demo, server, book)


def check_equal(demo, server, book):
    exported = demo.run("contact", "export", "Kunden", show=False)
    here, there = exported.count("BEGIN:VCARD"), len(server.cards(book))
    if here != there or here != 300:
        raise Failed("%d contacts here, %d there, 300 expected" % (here, there))
    print("\n%d contacts on both sides." % here)


def alive(address):
    """Whether it answers already."""
    try:
        with urllib.request.urlopen(address + "livez", timeout=10) as answer:
            return answer.status == 200
    except OSError:
        return False


def wait_for_daemon(demo):
    """The address it prints, once it answers there."""
    end = time.monotonic() + 15
    for line in demo.daemon.stderr:
        print(line, end="", flush=True)
        if "http://" not in line:
            continue
        address = line.split()[-1]
        while not alive(address):
            if time.monotonic() > end or demo.daemon.poll() is not None:
                raise Failed("the daemon does not answer at %s" % address)
            time.sleep(0.02)
        print(demo.daemon.stderr.readline(), end="")  # said once it listens to signals, too
        return address
    raise Failed("the daemon did not start", demo.daemon.wait() or 1)


def show_daemon(demo):
    say("From now on a daemon does it, every 15 minutes")
    print("$ abgleich daemon", flush=True)
    # A session of its own: Ctrl-C reaches us alone, and the daemon gets one signal, not two.
    demo.daemon = subprocess.Popen([PROGRAM, "-c", demo.config, "daemon"], stderr=subprocess.PIPE, text=True, start_new_session=True)
    address = wait_for_daemon(demo)
    say("It answers at %s" % address)
    if not TERMINAL:
        return
    try:
        show_until_interrupted(demo)
    except KeyboardInterrupt:
        pass


def show_until_interrupted(demo):
    print("Try: %s -c %s status\nCtrl-C ends everything." % (shlex.quote(PROGRAM), shlex.quote(demo.config)), flush=True)
    for line in demo.daemon.stderr:  # until it ends
        print(line, end="", flush=True)


def end(demo):
    daemon = demo.daemon
    if not daemon:
        return
    if daemon.poll() is None:
        daemon.send_signal(signal.SIGTERM)
    try:
        daemon.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()
        raise Failed("the daemon did not end by itself") from None
    if daemon.returncode != 0:
        raise Failed("the daemon ended with %s" % daemon.returncode, daemon.returncode if daemon.returncode > 0 else 1)


def interrupt(*unused):
    raise KeyboardInterrupt


def main():
    signal.signal(signal.SIGTERM, interrupt)
    folder = tempfile.mkdtemp(prefix="abgleich-demo-")
    demo = Demo(folder)
    with open(demo.config, "w", encoding="utf-8") as f:
        f.write("[abgleich]\nstate = %s/state.db\nlisten = 127.0.0.1:0\n" % folder)
    try:
        with servers.Radicale(os.path.join(folder, "radicale")) as server:
            try:
                show_syncs(demo, server)
                show_daemon(demo)
            finally:
                end(demo)
    except Failed as problem:
        print("demo: %s" % problem, file=sys.stderr)
        return problem.code
    except (RuntimeError, OSError, ValueError, subprocess.CalledProcessError) as problem:
        print("demo: %s: %s" % (type(problem).__name__, problem), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
