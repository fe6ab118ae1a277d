"""make demo: abgleich keeps a Contactbox book and a book on a real CardDAV server (Radicale, on loopback) the same, before your eyes.

Everything lives in a scratch folder that is removed at the end. Ctrl-C ends all that was started. Without a terminal it ends by
itself, with 0 if every step did what it should."""

import copy
import json
import os
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
TERMINAL = sys.stdout.isatty()


class Failed(Exception):
    pass


def say(text):
    print("\n" + ("\033[1m%s\033[0m" % text if TERMINAL else "== " + text), flush=True)


class Demo:
    def __init__(self, folder):
        self.folder = folder
        self.config = os.path.join(folder, "abgleich.ini")
        self.daemon = None

    def run(self, *args, expect=(0,), text=None, show=True):
        """One command as a person would type it."""
        if show:
            print("$ abgleich " + " ".join(args), flush=True)
        done = subprocess.run([PROGRAM, "-c", self.config, *args], input=text, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if show:
            print(done.stdout, end="", flush=True)
        if done.returncode not in expect:
            raise Failed("abgleich %s ended with %d\n%s" % (" ".join(args), done.returncode, done.stdout))
        return done.stdout

    def query(self, *args):
        done = subprocess.run([PROGRAM, "-c", self.config, "--json", *args], text=True, stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout)


def make_people():
    """Who is where: most on both sides, some in conflict, some only here, some only there."""
    everybody = people.people(2026, 300)
    here, there = [], []
    for i, person in enumerate(everybody):
        if i < 200:
            here.append(person)
            there.append(person)
        elif i < 250:
            here.append(person)
        else:
            there.append(person)
    for i in range(0, 40, 4):  # the same person, with another job on each side
        changed = copy.deepcopy(there[i])
        changed["note"] = "Nur auf dem Server notiert (%d)" % i
        there[i] = changed
        mine = copy.deepcopy(here[i])
        mine["note"] = "Hier in der Contactbox notiert (%d)" % i
        here[i] = mine
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
    demo.run("sync", "kunden")
    say("Its report, with the conflicts")
    run = demo.query("runs", "kunden")[0]["run"]
    demo.run("report", str(run))
    say("One contact is changed on each side")
    change_one_there(server, book)
    change_one_here(demo)
    demo.run("sync", "kunden")
    say("Nothing to do is one small request")
    demo.run("sync", "kunden")
    demo.run("status")
    check_equal(demo, server, book)


def check_equal(demo, server, book):
    exported = demo.run("contact", "export", "Kunden", show=False)
    here, there = exported.count("BEGIN:VCARD"), len(server.cards(book))
    if here != there or here != 300:
        raise Failed("%d contacts here, %d there, 300 expected" % (here, there))
    print("\n%d contacts on both sides." % here)


def wait_for_daemon(demo):
    """The address it prints, once it answers there."""
    address = None
    for line in demo.daemon.stderr:
        print(line, end="", flush=True)
        if "http://" in line:
            address = line.split()[-1]
        if "Ctrl-C" in line:
            break
    if not address:
        raise Failed("the daemon did not start")
    with urllib.request.urlopen(address + "livez", timeout=10) as answer:
        if answer.status != 200:
            raise Failed("the daemon does not answer")
    return address


def show_daemon(demo):
    say("From now on a daemon does it, every 15 minutes")
    print("$ abgleich daemon", flush=True)
    demo.daemon = subprocess.Popen([PROGRAM, "-c", demo.config, "--language", "en", "daemon"], stderr=subprocess.PIPE, text=True)
    address = wait_for_daemon(demo)
    say("It answers at %s" % address)
    if not TERMINAL:
        return
    print("Configuration and data: %s\nCtrl-C ends everything." % demo.folder, flush=True)
    while demo.daemon.poll() is None:
        time.sleep(0.2)


def end(demo):
    if demo.daemon and demo.daemon.poll() is None:
        demo.daemon.send_signal(signal.SIGTERM)
        demo.daemon.wait(timeout=30)
    if demo.daemon and demo.daemon.returncode not in (0, -signal.SIGINT):
        raise Failed("the daemon ended with %s" % demo.daemon.returncode)


def main():
    folder = tempfile.mkdtemp(prefix="abgleich-demo-")
    demo = Demo(folder)
    with open(demo.config, "w", encoding="utf-8") as f:
        f.write("[abgleich]\nstate = %s/state.db\nlisten = 127.0.0.1:0\n" % folder)
    try:
        with servers.Radicale(os.path.join(folder, "radicale")) as server:
            try:
                show_syncs(demo, server)
                show_daemon(demo)
            except KeyboardInterrupt:
                pass
            finally:
                end(demo)
    except Failed as problem:
        print("demo: %s" % problem, file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
