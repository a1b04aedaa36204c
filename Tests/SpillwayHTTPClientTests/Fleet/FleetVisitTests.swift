#if HTTPClientSupport
import AsyncHTTPClient
import NIOHTTP1
import Spillway
import SpillwayHTTPClient
import SpillwayTesting
import Testing

@Suite("A call's stay at a replica", .timeLimit(.minutes(10)))
struct FleetVisitTests {
    private let attempt = Attempt(number: 1, call: Call(), started: .zero)
    static let answer = """
        {"id":"a1","model":"m-1","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},
        "finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}
        """
    private static let load = [OrcaReport.responseHeader: "TEXT named_metrics.num_requests_waiting=7"]

    func fleet(_ members: Member..., health: Bool = false, time: any TimeSource = .system) throws -> Fleet {
        let configuration = Fleet.Configuration { if health { $0.health = ReplicaHealth.Configuration() } }
        let fleet = try Fleet("own", configuration, members: members, at: time.now)
        if health { for member in members { probe(fleet, member.name, time) } }
        return fleet
    }

    /// A probe finds the replica well.
    func probe(_ fleet: Fleet, _ name: String, _ time: any TimeSource) {
        guard let health = fleet.health(of: name), let probe = health.beginProbe(at: time.now) else { return }
        health.probed(probe, .generated(firstToken: .milliseconds(10)), at: time.now)
    }

    func member(_ name: String, _ upstream: Upstream) -> Member {
        Member(name, address: "127.0.0.1:\(upstream.port)")
    }

    private func chat(_ fleet: Fleet, _ client: HTTPClient, retries: Int = 1) throws -> ChatClient {
        try ChatClient(fleet: fleet, http: PolicyHTTPClient(client, policy: try policy(retries: retries)))
    }

    let hello = ChatRequest(model: "m", messages: [ChatMessage(role: "user", content: "hello")])

    @Test(
        "lies at the member's address, with or without a scheme",
        arguments: [
            ("gpu-1:8000", "http://gpu-1:8000/v1/models"), ("https://gpu-1/base/", "https://gpu-1/base/v1/models"),
            ("http://[::1]:8000", "http://[::1]:8000/v1/models"),
        ])
    func urls(address: String, url: String) throws {
        #expect(try fleet(Member("a", address: address)).visit(Call(), at: .zero).url("/v1/models") == url)
    }

    @Test("asks for the load, and tells the fleet of it; a whole answer is a success")
    func wholeAnswer() async throws {
        try await withUpstream([.plain(200, Self.load, Self.answer)]) { upstream, client in
            let fleet = try fleet(member("gpu-1", upstream))
            let chat = try chat(fleet, client)
            #expect(try await chat.complete(hello).content == "Hello")
            let sent = try #require(upstream.requests.first)
            #expect(sent.head.uri == "/v1/chat/completions")
            #expect(sent.head.headers[OrcaReport.requestHeader] == [OrcaReport.requestValue])
            let standing = try #require(fleet.standings(at: .zero).first)
            #expect(standing.load.waiting == 7)
            #expect(standing.calls == 0 && standing.pendingTokens == 0 && standing.heldTokens == 0)
            #expect(!"\(chat)".contains("127.0.0.1") && "\(chat)".contains("own"))
        }
    }

    @Test("a further attempt never goes to another major version, which would understand the prompt in another way")
    func version() throws {
        let fleet = try fleet(
            Member("old", address: "a:1", model: "m", version: ModelVersion(1, 0, 0)),
            Member("new", address: "b:1", model: "m", version: ModelVersion(2, 0, 0)))
        for _ in 0..<8 {
            let visits = FleetVisits()
            let first = try visits.begin(at: fleet, for: attempt, at: .zero)
            #expect(throws: UpstreamError.self) { try visits.begin(at: fleet, for: attempt, at: .zero) }
            let name = first.member.name
            first.settle(.failure(.serverError), at: .zero)
            let second = try visits.begin(at: fleet, for: attempt, at: .zero)
            #expect(second.member.name == name)
            second.settle(.success, at: .zero)
        }
    }

    @Test("nor where only versions are known")
    func versionAlone() throws {
        let fleet = try fleet(
            Member("old", address: "a:1", version: ModelVersion(1, 0, 0)),
            Member("new", address: "b:1", version: ModelVersion(2, 0, 0)))
        for _ in 0..<8 {
            let visits = FleetVisits()
            func begin() throws -> FleetVisit {
                try visits.begin(at: fleet, for: attempt, at: .zero)
            }
            let first = try begin(), name = first.member.name
            first.settle(.failure(.serverError), at: .zero)
            let second = try begin()
            #expect(second.member.name == name)
            second.settle(.success, at: .zero)
        }
    }

    @Test("a further attempt goes where none has failed, and with one replica there again")
    func avoids() async throws {
        try await withUpstream([.plain(503), .plain(200, [:], Self.answer), .plain(200, [:], Self.answer)]) {
            upstream, client in
            // Two names of one server, so that whichever is first fails.
            let fleet = try fleet(member("gpu-1", upstream), member("gpu-2", upstream))
            let visits = FleetVisits()
            let first = try visits.begin(at: fleet, for: attempt, at: .zero)
            // A hedge beside it.
            let beside = try visits.begin(at: fleet, for: attempt, at: .zero)
            #expect(Set([first.member.name, beside.member.name]) == ["gpu-1", "gpu-2"])
            #expect(throws: UpstreamError.self) { try visits.begin(at: fleet, for: attempt, at: .zero) }
            beside.settle(.neutral(.cancelled), at: .zero)
            first.settle(.failure(.serverError), at: .zero)
            for _ in 0..<8 {
                let next = try visits.begin(at: fleet, for: attempt, at: .zero)
                #expect(next.member.name == beside.member.name)
                next.settle(.success, at: .zero)
            }
            let last = try visits.begin(at: fleet, for: attempt, at: .zero)
            last.settle(.failure(.connect), at: .zero)
            // It has failed everywhere.
            _ = try visits.begin(at: fleet, for: attempt, at: .zero)

            #expect(try await chat(fleet, client).complete(hello).content == "Hello")
            let one = try self.fleet(member("gpu-1", upstream))
            #expect(try await chat(one, client).complete(hello).content == "Hello")
        }
    }

    @Test("is settled once, and a dropped one says nothing")
    func settlesOnce() async throws {
        try await withUpstream([]) { upstream, _ in
            let fleet = try fleet(member("gpu-1", upstream), health: true)
            let health = try #require(fleet.health(of: "gpu-1"))
            do { _ = try fleet.visit(Call(), at: SystemTime().now) }
            #expect(fleet.standings(at: .zero)[0].calls == 0)
            for _ in 0..<4 {
                let visit = try fleet.visit(Call(), at: SystemTime().now)
                #expect(fleet.standings(at: .zero)[0].calls == 1)
                visit.settle(.success, at: SystemTime().now)
                visit.settle(.failure(.serverError), at: SystemTime().now)
                visit.firstContent(at: SystemTime().now)
                visit.hung(at: SystemTime().now)
            }
            #expect(health.phase == .ready)
            #expect(fleet.standings(at: .zero)[0].calls == 0)
            let visit = try fleet.visit(Call(), at: SystemTime().now)
            visit.hung(at: SystemTime().now)
            #expect(health.phase == .degraded)
        }
    }

    @Test("an attempt for which there is no replica fails as neutral, with the refusal beneath it")
    func nobody() async throws {
        try await withUpstream([]) { upstream, client in
            let fleet = try fleet(member("gpu-1", upstream), health: true)
            fleet.health(of: "gpu-1")?.declareDead(at: SystemTime().now)
            let chat = try chat(fleet, client)
            let failed = await failure { try await chat.complete(hello) }
            let error = try #require(failed?.underlying)
            #expect(error.outcome == .neutral(.rejected))
            #expect(error.rejection?.reason == .noTarget)
            #expect(upstream.requests.isEmpty)
        }
    }

    @Test("calls that fail take a replica out; the client's own mistakes do not")
    func failures() async throws {
        try await withUpstream([.plain(400), .plain(400), .plain(400), .plain(500), .plain(500), .plain(500)]) {
            upstream, client in
            let fleet = try fleet(member("gpu-1", upstream), health: true)
            let chat = try chat(fleet, client, retries: 0)
            for _ in 0..<3 { _ = await failure { try await chat.complete(hello) } }
            #expect(fleet.health(of: "gpu-1")?.phase == .ready)
            for _ in 0..<3 { _ = await failure { try await chat.complete(hello) } }
            #expect(fleet.health(of: "gpu-1")?.phase == .degraded)
        }
    }

    @Test("a stream's stay lasts as long as the stream, and its first content teaches the pace")
    func stream() async throws {
        try await withUpstream([.stream([Wire.text("Hel"), Wire.text("lo"), Wire.end])]) { upstream, client in
            let fleet = try fleet(member("gpu-1", upstream))
            let stream = try await chat(fleet, client).stream(hello)
            #expect(fleet.standings(at: .zero)[0].calls == 1)
            var text = ""
            for try await chunk in stream { text += chunk.content }
            _ = await stream.report
            #expect(text == "Hello")
            #expect(fleet.standings(at: .zero)[0].calls == 0)
            #expect(fleet.standings(at: .zero)[0].tokensPerSecond != nil)
        }
    }

    @Test("a stream without content in time hangs, and takes the replica out at once")
    func hangs() async throws {
        let time = ManualTime()
        try await withUpstream([.stream([": alive\n\n"], .never)]) { upstream, client in
            let fleet = try fleet(member("gpu-1", upstream), health: true, time: time)
            let policy = try policy(retries: 0, time: time)
            let chat = try ChatClient(
                fleet: fleet, http: PolicyHTTPClient(client, policy: policy, time: time), timeout: .seconds(5))
            var arrivals = upstream.arrivals.makeAsyncIterator()
            let asking = Task { await failure { try await chat.stream(hello) } }
            _ = await arrivals.next()
            time.advance(by: .seconds(6))
            #expect(await asking.value != nil)
            #expect(fleet.health(of: "gpu-1")?.status(at: time.now).reason == .hung)
            #expect(fleet.standings(at: time.now)[0].calls == 0)
        }
    }

    @Test("paths and keys that cannot be are refused", arguments: ["v1", "/v1?x", "/v 1"])
    func refused(path: String) async throws {
        try await withUpstream([]) { upstream, client in
            let fleet = try fleet(member("gpu-1", upstream))
            #expect(throws: ConfigurationError.self) {
                try ChatClient(fleet: fleet, path: path, http: PolicyHTTPClient(client, policy: try policy()))
            }
        }
    }
}
#endif
