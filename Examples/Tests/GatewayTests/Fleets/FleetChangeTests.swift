import AsyncHTTPClient
import FleetFaults
import Foundation
import NIOHTTP1
import Testing

@testable import FakeFleet
@testable import Gateway

/// Replicas that come, go and are drained while calls run.
@Suite(.timeLimit(.minutes(10))) struct FleetChangeTests {
    @Test func `a replica with fifty streams is drained without losing one, and comes back`() async throws {
        let flags = ["--slots=128", "--max-queue=1000"]
        try await withFleet(
            replicas: 2, fleet: "rule: least_outstanding, scrapeSeconds: 0.5",
            policy:
                "{ retries: 0, deadlineSeconds: 300, attemptSeconds: 300, stallSeconds: 60, firstContentSeconds: 60 }",
            flags: flags, speed: 10
        ) { bench in
            // Streams that last: a token every simulated 5 s. On a very busy machine a few have ended before the drain.
            try await bench.fault(.dribble, replica: #""all""#, extra: #","duration_ms":5000"#)
            var streams: [HTTPClientResponse] = []
            for _ in 0..<100 { streams.append(try await bench.open("hello", streamed: true)) }
            let path = "v1/fleet/own/gpu-1"
            let response = try await bench.send(.POST, "\(path)/drain", body: #"{"seconds":60}"#)
            #expect(response.status == .ok)
            let begun = try JSONDecoder().decode(FleetView.Member.self, from: Data(try await response.text.utf8))
            #expect(begun.phase == "draining" && begun.reason == "by_hand")
            #expect((41...50).contains(begun.drain?.running ?? 0))
            for _ in 0..<10 { #expect(try await bench.ask("hello").replica == "gpu-2") }
            for stream in streams {
                let seen = try await Seen(stream)
                #expect(seen.status == 200 && seen.isDone && seen.error == nil && seen.finish == "stop")
            }
            let ended = try await bench.fleetView { $0["gpu-1"]?.drain?.state == "drained" }
            let drain = try #require(ended["gpu-1"]?.drain)
            #expect(drain.finished == drain.running && drain.lost == 0 && drain.left == 0)
            #expect(try await bench.ask("hello").replica == "gpu-2")

            #expect(try await bench.send(.POST, "\(path)/undrain").status == .ok)
            try await bench.fleetView { $0["gpu-1"]?.phase == "ready" }
            try await until { try await bench.ask("hello").replica == "gpu-1" }
        }
    }

    @Test(arguments: ["fail", "restart", "continue"])
    func `streams that cannot go on elsewhere when the drain's deadline is past stay to their end`(
        recovery: String
    ) async throws {
        // No attempt is left for them.
        try await withFleet(
            replicas: 2, fleet: "rule: least_outstanding, scrapeSeconds: 0.5",
            policy: """
                { retries: 0, recovery: \(recovery), deadlineSeconds: 300, attemptSeconds: 300, stallSeconds: 60, \
                firstContentSeconds: 60 }
                """,
            flags: ["--slots=128", "--max-queue=1000"], speed: 100
        ) { bench in
            let answer = try await bench.ask("hello").text
            try await bench.fault(.dribble, replica: #""all""#, extra: #","duration_ms":5000"#)
            var streams: [HTTPClientResponse] = []
            for _ in 0..<20 { streams.append(try await bench.open("hello", streamed: true)) }
            let response = try await bench.send(.POST, "v1/fleet/own/gpu-1/drain", body: #"{"seconds":0}"#)
            #expect(response.status == .ok)
            for stream in streams { try await Seen(stream).isWhole(answer) }
            let ended = try await bench.fleetView { $0["gpu-1"]?.drain?.left == 0 }
            let drain = try #require(ended["gpu-1"]?.drain)
            #expect(drain.running > 0 && drain.finished == drain.running && drain.lost == 0)
        }
    }

    @Test func `a drain names a replica that there is, and sensible seconds`() async throws {
        try await withFleet(replicas: 1) { bench in
            for path in ["other/gpu-1", "own/gpu-2"] {
                #expect(try await bench.send(.POST, "v1/fleet/\(path)/drain").status == .notFound)
            }
            for body in ["{", #"{"seconds":-1}"#, #"{"seconds":"x"}"#, #"{"seconds":1e9}"#] {
                let response = try await bench.send(.POST, "v1/fleet/own/gpu-1/drain", body: body)
                #expect(response.status == .badRequest)
                #expect(try await response.apiError["param"] == "seconds")
            }
            #expect(try await bench.fleetView()["gpu-1"]?.phase == "ready")
        }
        try await withFleet(replicas: 1, health: nil) { bench in
            let response = try await bench.send(.POST, "v1/fleet/own/gpu-1/drain")
            #expect(response.status == .conflict)
            #expect(try await response.apiError["code"] == "no_health_checks")
        }
        try await withBench(replicas: 1) { bench in
            let response = try await bench.send(.GET, "v1/fleet")
            #expect(response.status == .notFound)
        }
    }

    @Test func `a replica of any name is drained`() async throws {
        try await withReplicas(1) { addresses in
            let names = ["a/b": "a%2Fb", "größte": "gr%C3%B6%C3%9Fte", "[::1]:80": "%5B%3A%3A1%5D:80", "50%": "50%25"]
            let members = names.keys.sorted().map { "\"\($0) 127.0.0.1:\(addresses.replicas[0])\"" }
            let yaml = """
                upstreams:
                  our/own: { fleet: { members: [\(members.joined(separator: ", "))], health: \(quickHealth) } }
                models:
                  chat: { targets: [{ upstream: our/own, model: fake-7b }] }
                """
            try await withFleetGateway(yaml, addresses) { bench in
                for (name, part) in names {
                    let response = try await bench.send(.POST, "v1/fleet/our%2Fown/\(part)/drain")
                    #expect(response.status == .ok, "\(name)")
                }
                try await bench.fleetView { $0.members.allSatisfy { $0.phase == "draining" || $0.drain != nil } }
            }
        }
    }

    @Test func `where callers have keys, fleets are the operator's`() async throws {
        try await withFleet(replicas: 1, extra: Purse.yaml()) { bench in
            for (method, path) in [
                (HTTPMethod.GET, "v1/fleet"), (.POST, "v1/fleet/own/gpu-1/drain"),
                (.POST, "v1/fleet/own/gpu-1/undrain"),
            ] {
                for key in [nil, Purse.acme] {
                    let headers: HTTPHeaders = key.map { ["authorization": "Bearer \($0)"] } ?? [:]
                    let response = try await bench.send(method, path, headers: headers)
                    #expect(response.status == .unauthorized)
                }
                let headers: HTTPHeaders = ["authorization": "Bearer \(Purse.root)"]
                let response = try await bench.send(method, path, headers: headers)
                #expect(response.status == .ok)
            }
        }
    }

    @Test(arguments: ["0.0.0.0", "::", "gateway.example", "127.0.0.1.example"])
    func `others than this machine need a key to drain`(host: String) async throws {
        try await withFleet(replicas: 1, extra: "server: { host: '\(host)' }") { bench in
            for path in ["drain", "undrain"] {
                let response = try await bench.send(.POST, "v1/fleet/own/gpu-1/\(path)")
                #expect(response.status == .forbidden)
                #expect(try await response.apiError["code"] == "operator_only")
            }
            let view = try await bench.fleetView()
            #expect(view["gpu-1"]?.phase == "ready" && view["gpu-1"]?.drain == nil)
        }
        let keys = "operator: { keys: [\"\(KeyHash(of: Purse.root).text)\"] }"
        try await withFleet(replicas: 1, extra: "server: { host: '\(host)' }\n\(keys)") { bench in
            let path = "v1/fleet/own/gpu-1/drain"
            let stranger = try await bench.send(.POST, path)
            #expect(stranger.status == .unauthorized)
            let headers: HTTPHeaders = ["authorization": "Bearer \(Purse.root)"]
            #expect(try await bench.send(.POST, path, headers: headers).status == .ok)
            // Calls need none.
            #expect(try await bench.ask("hello").status == 503)
        }
    }

    @Test(arguments: ["127.0.0.1", "127.8.0.1", "localhost", "::1"])
    func `at this machine nobody needs a key, but proxies and pages do`(host: String) async throws {
        try await withFleet(replicas: 1, extra: "server: { host: '\(host)' }") { bench in
            let path = "v1/fleet/own/gpu-1/drain"
            for (name, value) in [
                ("origin", "https://evil.example"), ("x-forwarded-for", "198.51.100.7"), ("forwarded", "for=a"),
                ("sec-fetch-site", "cross-site"), ("via", "1.1 proxy"),
            ] {
                let response = try await bench.send(.POST, path, headers: [name: value])
                #expect(response.status == .forbidden)
            }
            #expect(try await bench.send(.POST, path).status == .ok)
        }
    }

    @Test func `a zone that is lost costs no call`() async throws {
        @Sendable func options() throws -> FleetOptions { try .parse(["--port=0", "--replicas=2", "--speed=1000"]) }
        let (zones, announce) = AsyncStream.makeStream(of: FleetServer.Addresses.self)
        let lost = Task { try await FleetServer(options()).run { announce.yield($0) } }
        defer { lost.cancel() }
        var zone = zones.makeAsyncIterator()
        let near = try #require(await zone.next())
        try await running {
            try await FleetServer(options()).run(ready: $0)
        } body: { far in
            let members = [("a", near), ("b", far)].flatMap { zone, addresses in
                addresses.replicas.enumerated().map { "\"\(zone)-\($0) 127.0.0.1:\($1) zone=\(zone)\"" }
            }
            let yaml = """
                upstreams:
                  own: { fleet: { members: [\(members.joined(separator: ", "))], zone: a, health: \(quickHealth) } }
                models:
                  chat: { targets: [{ upstream: own, model: fake-7b }] }
                policy: { retries: 3, backoff: { kind: none }, budget: unlimited }
                """
            try await withFleetGateway(yaml, far) { bench in
                let first = try await bench.ask("hello")
                #expect(first.replica?.hasPrefix("a-") == true)
                lost.cancel()
                _ = await lost.result
                for _ in 0..<30 {
                    let seen = try await bench.ask("hello")
                    seen.isWhole(first.text)
                    #expect(seen.replica?.hasPrefix("b-") == true)
                }
                try await bench.fleetView { view in
                    view.members.allSatisfy { ($0.phase == "ready") == ($0.zone == "b") }
                }
            }
        }
    }

    @Test func `a list of replicas that is written anew is followed`() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "members-\(UUID().uuidString).txt")
        defer { try? FileManager.default.removeItem(at: file) }
        try await withReplicas(2) { addresses in
            func write(_ text: String) throws { try Data("\(text)\n".utf8).write(to: file, options: .atomic) }
            let lines = addresses.replicas.enumerated().map { "gpu-\($0 + 1) 127.0.0.1:\($1) # one a line" }
            try write(lines[0])
            let yaml = """
                upstreams:
                  own: { fleet: { file: "\(file.path)", followSeconds: 0.02, health: \(quickHealth) } }
                models:
                  chat: { targets: [{ upstream: own, model: fake-7b }] }
                """
            try await withFleetGateway(yaml, addresses) { bench in
                #expect(try await bench.ask("hello").replica == "gpu-1")
                // What cannot be read changes nothing.
                try write("gpu-1")
                #expect(try await bench.ask("hello").replica == "gpu-1")
                try write(lines[1])
                try await bench.fleetView { $0.members.map(\.name) == ["gpu-2"] && $0.members[0].phase == "ready" }
                #expect(try await bench.ask("hello").replica == "gpu-2")
            }
        }
    }
}
