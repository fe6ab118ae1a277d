"""The Graph connector and its emulator before judges that nobody here wrote: Prism holds every request and answer, parts of batches too,
against Microsoft's schema, and Microsoft's own client works with the emulator."""

import json
import sys
import urllib.error
import urllib.request

import foreign
from graph_judge import Judge
from harness import Suite
from microsoft_graph import Graph


def in_order(world, judge):
    assert not judge.violations(), judge.violations()
    assert not world.violations, world.violations


def ask(url, method, path, body=None, **headers):
    request = urllib.request.Request(url + path, method=method, data=json.dumps(body).encode() if body is not None else None, headers={
        "Authorization": "Bearer " + Graph.password, "Content-Type": "application/json", "client-request-id": "1", **headers})
    try:
        return urllib.request.urlopen(request).status
    except urllib.error.HTTPError as refusal:
        return refusal.code


def the_judge_bites(world):
    """What it must catch, on either side and in parts of batches, so that its silence means something."""
    folder = "/v1.0/me/contactFolders/%s/contacts" % world.box.default
    with Judge(world) as judge:
        wrong = (("POST", folder, {"businessPhones": "1"}, 422), ("POST", folder, {"faxNumber": "1"}, 422),
                 ("POST", "/v1.0/users/anna@contoso.example/contacts", {"birthday": "1980-03-05"}, 422), ("GET", "/v1.0/me/kontakte", None, 404),
                 ("POST", "/v1.0/$batch", {"requests": [{"id": "1", "method": "GET", "url": "/v1.0/me/contacts"}]}, 422),
                 ("POST", "/v1.0/$batch", {"requests": []}, 422))
        for number, (method, path, body, status) in enumerate(wrong, 1):
            assert ask(judge.address[:-1], method, path, body) == status, (path, body)
            assert len(judge.violations()) == number, judge.said()
        assert not world.requests, "a wrong request was let through"
        world.at = lambda moment, n, request: (200, {}, {"value": [{"homePhones": "x"}]}) if moment == "done" else None
        assert ask(judge.address[:-1], "GET", folder) == 500
        found = len(judge.violations())
        assert found > len(wrong), judge.said()
        judge.parts = [({"id": "1", "method": "PATCH", "url": "/me/contacts/x", "headers": {"Content-Type": "application/json"}, "body": {"title": 7}},
                        {"id": "1", "status": 200, "headers": {}, "body": {"id": "x"}}, "Bearer x"),
                       ({"id": "2", "method": "GET", "url": "/me/contacts/x"}, {"id": "2", "status": 200, "headers": {}, "body": {"id": 7}}, "Bearer x")]
        assert judge.replay() == 2
        said = "\n".join(judge.violations()[found:])
        assert "patch /v1.0/me/contacts/x" in said and "UNPROCESSABLE" in said and "get /v1.0/me/contacts/x" in said and "VIOLATIONS" in said, said
        world.violations.clear()


def microsofts_own_client(world):
    for i in range(5):
        world.add({"givenName": "P%d" % i})
    with Judge(world) as judge:
        world.link_base = judge.address.replace("http:", "https:")
        client = lambda *args: foreign.run_client("microsoft_graph.mjs", world.link_base, Graph.password, *args)
        [told] = client("work")
        world.fail("429", on="POST", retry_after=1)
        client("throttled")
        assert [line for line in world.lines() if line.startswith("POST")][-1].endswith("/contacts")
        in_order(world, judge)
        assert judge.replay() >= 7
        in_order(world, judge)
        world.delta.expire(world.box)
        client("resync", told["link"])
        world.violations = [v for v in world.violations if "a token that nobody gave" not in v]
        in_order(world, judge)


CASES = (the_judge_bites, microsofts_own_client)


def run_case(function):
    with Graph() as world:
        function(world)
        assert not world.violations, world.violations


def main():
    suite = Suite("foreign graph")
    suite.run("the packages are there", foreign.are_there)
    for function in CASES:
        if len(sys.argv) < 2 or function.__name__ in sys.argv[1:]:
            suite.run(function.__name__.replace("_", " "), run_case, function)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
