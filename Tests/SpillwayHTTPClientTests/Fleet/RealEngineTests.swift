#if HTTPClientSupport
#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import Spillway
import SpillwayHTTPClient
import Testing

private let environment = ProcessInfo.processInfo.environment
/// Against servers that somebody has started; docs/engines.md says how.
private let engines = environment["SPILLWAY_ENGINE"]?.split(separator: ",").map(String.init) ?? []
private let model = environment["SPILLWAY_ENGINE_MODEL"]

@Suite("A fleet of real engines", .enabled(if: !engines.isEmpty), .timeLimit(.minutes(5)), .serialized)
struct RealEngineTests {
    private let members = engines.enumerated().map { Member("engine-\($0.offset)", address: $0.element, model: model) }
    private let health = ReplicaHealth.Configuration {
        $0 = .quick
        // The first token of a model that has just been loaded, on a machine without a GPU.
        $0.firstToken = .seconds(60)
        $0.probeLease = .seconds(120)
    }

    /// Runs `body` when all are ready.
    private func run(_ body: (Watching) async throws -> Void) async throws {
        try await Watching.run(members, health: health) { watching in
            for member in members { try await until { watching.phase(of: member.name) == .ready } }
            try await body(watching)
        }
    }

    private func chat(_ watching: Watching) throws -> ChatClient {
        let policy = try Policy("real") { () throws(ConfigurationError) in
            let causes: Outcome.Causes = [
                .transport, .connect, .timeout, .overloaded, .serverError, .truncated, .rejected,
            ]
            try Retry(upTo: 3, on: causes, budget: .unlimited)
        }
        return try ChatClient(fleet: watching.fleet, http: PolicyHTTPClient(watching.client, policy: policy))
    }

    /// Some 500 tokens, the same for all with the same number.
    private func request(_ number: Int, maxTokens: Int = 16) -> ChatRequest {
        let text = (0..<100).map { "Conversation \(number) has a sentence \($0)." }.joined(separator: " ")
        return ChatRequest(
            model: model ?? "default", messages: [ChatMessage(role: "user", content: text)], maxTokens: maxTokens,
            temperature: 0)
    }

    private func isIdle(_ fleet: Fleet) -> Bool {
        fleet.standings(at: SystemTime().now).allSatisfy {
            $0.calls == 0 && $0.pendingTokens == 0 && $0.heldTokens == 0
        }
    }

    @Test("each tells its load, makes a token for a probe, and is ready")
    func watched() async throws {
        try await run { watching in
            for member in members {
                try await until { !watching.load(of: member.name).isEmpty }
                let load = watching.load(of: member.name)
                #expect(load.running != nil && load.waiting != nil)
                print("load of \(member.address): \(load)")
            }
            let failures = watching.failures(.metrics) + watching.failures(.probe)
            #expect(failures.isEmpty, "\(failures)")
        }
    }

    @Test("conversations go to them, streamed and whole, eight at a time, and what was computed before is found again")
    func conversations() async throws {
        try await run { watching in
            let chat = try chat(watching), before = members.map { watching.load(of: $0.name).prefixHits ?? 0 }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for turn in 0..<48 {
                    if turn >= 8 { try await group.next() }
                    group.addTask {
                        var usage: Usage?
                        if turn % 2 == 0 {
                            let stream = try await chat.stream(request(turn % 6))
                            for try await _ in stream {}
                            usage = stream.usage
                        } else {
                            usage = try await chat.complete(request(turn % 6)).usage
                        }
                        #expect(usage?[.output] ?? 0 > 0)
                    }
                }
                try await group.waitForAll()
            }
            #expect(isIdle(watching.fleet))
            // Every engine has a cache of prefixes; what it says of it comes with its next page.
            try await until {
                zip(members, before).contains { watching.load(of: $0.name).prefixHits ?? 0 > $1 + 1_000 }
            }
        }
    }

    @Test("a drained engine's stream goes on at another of the same model", .enabled(if: engines.count > 1))
    func drained() async throws {
        try await run { watching in
            let stream = try await chat(watching).stream(request(100, maxTokens: 400), recovery: .restart)
            let first = try #require(watching.fleet.standings(at: SystemTime().now).first { $0.calls > 0 }).member.name
            let now = SystemTime().now
            watching.fleet.health(of: first)?.drain(deadline: now, at: now)
            for try await _ in stream {}
            #expect(stream.usage?[.output] ?? 0 > 0)
            let report = await stream.report
            #expect(report.attempts.count == 2 && report.attempts.first?.replica == first)
            #expect(report.attempts.last.map { $0.replica != first && $0.outcome == .success } == true)
            let drain = watching.fleet.standings(at: SystemTime().now).first { $0.member.name == first }?.drain
            #expect(drain?.handedOver == 1 && drain?.lost == 0)
            #expect(isIdle(watching.fleet))
        }
    }
}
#endif
